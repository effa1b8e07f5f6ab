package manager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	runc "github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/options"
	"github.com/berth-oci/berth/specconv"
)

func TestGroupOf(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "id",
		`{"annotations": {"io.kubernetes.cri.sandbox-id": "pod"}}`:                                         "pod",
		`{"annotations": {"io.kubernetes.cri.sandbox-id": "pod", "io.containerd.runc.v2.group": "group"}}`: "group",
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("config.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := groupOf("id"); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestListen(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("makes sockets in /run/containerd: needs root")
	}
	ctx := namespaces.WithNamespace(t.Context(), "test")
	o := shim.StartOpts{Address: t.TempDir(), Debug: true}
	first, err := listen(ctx, o, "group")
	if err != nil || len(first) != 2 {
		t.Fatalf("%v, %v", first, err)
	}
	second, err := listen(ctx, o, "group")
	if !errors.Is(err, errdefs.ErrAlreadyExists) || second[0].address != first[0].address {
		t.Errorf("for another container of the group: %v, %v", second, err)
	}
	// A killed shim leaves its socket.
	for _, s := range first {
		s.listener.Close()
		s.file.Close()
	}
	third, err := listen(ctx, o, "group")
	if err != nil || third[0].address != first[0].address {
		t.Errorf("after the end of a shim: %v, %v", third, err)
	}
	closeAll(third)
	for _, s := range third {
		if shim.CanConnect(s.address) {
			t.Errorf("%s is left", s.address)
		}
	}
}

// Stop works in a process that has never seen the container.
func TestStop(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("makes a container: needs root")
	}
	id := fmt.Sprintf("berth-stop-%d", os.Getpid())
	dir := t.TempDir()
	bundle := filepath.Join(dir, id)
	pid := makeContainer(t, dir, bundle, id)
	t.Chdir(bundle)
	m := New("1.2.3", "abc")
	ctx := namespaces.WithNamespace(context.Background(), "test")
	for _, wantPid := range []int{pid, 0} { // twice: there is nothing the second time
		status, err := m.Stop(ctx, id)
		if err != nil || status.ExitStatus != 137 || status.Pid != wantPid || status.ExitedAt.IsZero() {
			t.Errorf("%+v, %v", status, err)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "state", "test")); len(left) > 0 {
		t.Errorf("left in the state root: %v", left)
	}
	if _, err := m.Stop(context.Background(), id); err == nil {
		t.Error("no error without a namespace")
	}
}

func makeContainer(t *testing.T, dir, bundle, id string) int {
	t.Helper()
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no /bin/busybox: hack/deps test")
	}
	if err := os.MkdirAll(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "rootfs", "sleep"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	opts := options.Options{Root: filepath.Join(dir, "state")}
	if err := opts.Save(bundle); err != nil {
		t.Fatal(err)
	}
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = false
	spec.Process.Args = []string{"/sleep", "1000"}
	spec.Linux.CgroupsPath = "/" + id
	r, err := ociruntime.New(ociruntime.Options{Root: opts.StateRoot("test")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Run(t.Context(), id, ociruntime.CreateOptions{Bundle: bundle, Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if status, err := c.Wait(context.Background()); err != nil || status.Signal != unix.SIGKILL {
			t.Errorf("the container ended with %v, %v", status, err)
		}
	})
	return c.Pid()
}

func TestInfo(t *testing.T) {
	m := New("1.2.3", "abc")
	opts, err := typeurl.MarshalAnyToProto(&runc.Options{SystemdCgroup: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := proto.Marshal(opts)
	if err != nil {
		t.Fatal(err)
	}
	info, err := m.Info(t.Context(), bytes.NewReader(text))
	if err != nil || info.Name != "io.containerd.berth.v2" || info.Version.Version != "1.2.3" || info.Version.Revision != "abc" || !proto.Equal(info.Options, opts) {
		t.Errorf("%v, %v", info, err)
	}
	v, err := typeurl.UnmarshalAny(info.Features)
	if err != nil {
		t.Fatal(err)
	}
	if f := v.(*features.Features); len(f.MountOptions) == 0 || f.Annotations["org.berth.version"] != "1.2.3" {
		t.Errorf("features: %+v", f)
	}
	if _, err := m.Info(t.Context(), bytes.NewReader([]byte("no message"))); err == nil {
		t.Error("no error for options that are no message")
	}
}

func TestJoinCgroupThatDoesNotExist(t *testing.T) {
	if err := joinCgroup("", os.Getpid()); err != nil {
		t.Error(err)
	}
	if err := joinCgroup("/berth-nonesuch", os.Getpid()); err == nil {
		t.Error("no error")
	}
}
