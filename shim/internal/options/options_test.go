package options

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	runc "github.com/containerd/containerd/api/types/runc/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/anypb"
)

func marshal(t *testing.T, v any) *anypb.Any {
	t.Helper()
	a, err := typeurl.MarshalAnyToProto(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFromAny(t *testing.T) {
	path := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(path, []byte("Root = \"/r\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "SystemdCgroup = true\nNoPivotRoot = true\nNoNewKeyring = true\nIoUid = 5\nIoGid = 6\nCriuWorkPath = \"/w\"\nShimCgroup = \"/s\"\nRoot = \"/r\"\n"
	all := Options{Root: "/r", SystemdCgroup: true, NoPivotRoot: true, NoNewKeyring: true, IoUid: 5, IoGid: 6, CriuWorkPath: "/w", ShimCgroup: "/s"}
	for name, test := range map[string]struct {
		in   *anypb.Any
		want Options
	}{
		"none": {nil, Options{}},
		"runc": {marshal(t, &runc.Options{
			Root: "/r", SystemdCgroup: true, NoPivotRoot: true, NoNewKeyring: true, IoUid: 5, IoGid: 6, ShimCgroup: "/s",
			CriuWorkPath: "/w", CriuImagePath: "/i",
		}), all},
		"linux": {
			&anypb.Any{TypeUrl: linuxType, Value: []byte{1 << 3, 1, 8 << 3, 1, 9<<3 | 2, 2, '/', 's', 10 << 3, 5, 11 << 3, 6, 12<<3 | 2, 2, '/', 'w', 13<<3 | 2, 2, '/', 'i'}},
			Options{NoPivotRoot: true, NoNewKeyring: true, IoUid: 5, IoGid: 6, CriuWorkPath: "/w", ShimCgroup: "/s"},
		},
		"body": {marshal(t, &runtimeoptions.Options{ConfigBody: []byte("TypeUrl = \"t\"\n" + text)}), all},
		"path": {marshal(t, &runtimeoptions.Options{ConfigPath: path}), Options{Root: "/r"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromAny(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if *got != test.want {
				t.Errorf("%+v, want %+v", *got, test.want)
			}
			dir := t.TempDir()
			if err := got.Save(dir); err != nil {
				t.Fatal(err)
			}
			if saved, err := Load(dir); err != nil || *saved != test.want {
				t.Errorf("saved and loaded: %+v, %v", saved, err)
			}
		})
	}
}

func TestFromAnyRefuses(t *testing.T) {
	for name, in := range map[string]*anypb.Any{
		"type":  marshal(t, &runc.ProcessDetails{ExecID: "x"}),
		"short": {TypeUrl: linuxType, Value: []byte{1 << 3}},
		"TOML":  marshal(t, &runtimeoptions.Options{ConfigBody: []byte("SystemdCgroup = 3")}),
		"name":  marshal(t, &runtimeoptions.Options{ConfigBody: []byte("Systemdcgroups = true")}),
	} {
		if _, err := FromAny(in); !errors.Is(err, errdefs.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	in := &anypb.Any{TypeUrl: linuxType, Value: []byte{2 << 3, 1}}
	if _, err := FromAny(in); !errors.Is(err, errdefs.ErrNotImplemented) {
		t.Errorf("open TCP connections: %v", err)
	}
}

func TestStateRoot(t *testing.T) {
	if got := (&Options{}).StateRoot("k8s.io"); got != "/run/containerd/berth/k8s.io" {
		t.Error(got)
	}
	if got := (&Options{Root: "/r"}).StateRoot("moby"); got != "/r/moby" {
		t.Error(got)
	}
	if o, err := Load(t.TempDir()); err != nil || *o != (Options{}) {
		t.Errorf("options of an empty bundle: %+v, %v", o, err)
	}
}
