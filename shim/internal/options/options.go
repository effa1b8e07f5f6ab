// Package options reads the options of a runtime in containerd's configuration: those of
// containerd's shim for runc, with the same names and meanings.
package options

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/api/types/runc/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/types/known/anypb"
)

// DefaultRoot has the state roots, one for each namespace of containerd.
const DefaultRoot = "/run/containerd/berth"

// Options are the options of a container.
type Options struct {
	// Root has the state roots; DefaultRoot if empty.
	Root string `json:"root,omitempty" toml:"Root"`
	// SystemdCgroup makes systemd create the cgroups.
	SystemdCgroup bool `json:"systemd_cgroup,omitempty" toml:"SystemdCgroup"`
	// NoPivotRoot and NoNewKeyring are CreateOptions.NoPivot and SharedKeyring of package
	// runtime.
	NoPivotRoot  bool `json:"no_pivot_root,omitempty" toml:"NoPivotRoot"`
	NoNewKeyring bool `json:"no_new_keyring,omitempty" toml:"NoNewKeyring"`
	// IoUid and IoGid own the pipes of programs without a terminal.
	IoUid uint32 `json:"io_uid,omitempty" toml:"IoUid"` //nolint:revive,staticcheck // the name of the option
	IoGid uint32 `json:"io_gid,omitempty" toml:"IoGid"` //nolint:revive,staticcheck // the name of the option
	// CriuWorkPath is the directory of CRIU's log when a checkpoint is restored; one in the
	// bundle if empty.
	CriuWorkPath string `json:"criu_work_path,omitempty" toml:"CriuWorkPath"`
	// ShimCgroup is the cgroup of the shim itself.
	ShimCgroup string `json:"shim_cgroup,omitempty" toml:"ShimCgroup"`
	// BinaryName is for runc's shim. This shim starts no runtime, and ignores it: clients
	// set it for every runtime.
	BinaryName string `json:"binary_name,omitempty" toml:"BinaryName"`
}

// StateRoot returns the state root for a namespace of containerd.
func (o *Options) StateRoot(namespace string) string {
	root := o.Root
	if root == "" {
		root = DefaultRoot
	}
	return filepath.Join(root, namespace)
}

// FromAny reads the options of a request. containerd sends those of runc's shim from
// clients that know this shim, and generic ones, with TOML inside, for a runtime type that
// it does not know.
func FromAny(a *anypb.Any) (*Options, error) {
	if len(a.GetValue()) == 0 {
		return &Options{}, nil
	}
	if a.TypeUrl == linuxType {
		return fromLinux(a.Value)
	}
	v, err := typeurl.UnmarshalAny(a)
	if err != nil {
		return nil, invalid(err)
	}
	switch o := v.(type) {
	case *options.Options:
		return fromRunc(o), nil
	case *runtimeoptions.Options:
		return fromGeneric(o)
	}
	return nil, fmt.Errorf("options of type %q: %w", a.TypeUrl, errdefs.ErrInvalidArgument)
}

// fromRunc does not read CriuImagePath: containerd sends it as the request's Checkpoint.
func fromRunc(o *options.Options) *Options {
	return &Options{
		Root: o.Root, SystemdCgroup: o.SystemdCgroup, NoPivotRoot: o.NoPivotRoot, NoNewKeyring: o.NoNewKeyring,
		IoUid: o.IoUid, IoGid: o.IoGid, ShimCgroup: o.ShimCgroup, BinaryName: o.BinaryName,
		CriuWorkPath: o.CriuWorkPath,
	}
}

func fromGeneric(o *runtimeoptions.Options) (*Options, error) {
	text := o.ConfigBody
	if o.ConfigPath != "" {
		var err error
		if text, err = os.ReadFile(o.ConfigPath); err != nil {
			return nil, fmt.Errorf("read options: %w", err)
		}
	}
	var table struct {
		Options
		// Keys for containerd, which passes the whole table.
		TypeUrl, ConfigPath string //nolint:revive,staticcheck // the name of the key
	}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&table)
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		return nil, invalid(fmt.Errorf("unknown option %q", strings.Join(unknown.Errors[0].Key(), ".")))
	}
	if err != nil {
		return nil, invalid(err)
	}
	return &table.Options, nil
}

// file is a file in the bundle, for a shim that has not seen the container.
const file = "options.json"

// Save saves the options in the bundle.
func (o *Options) Save(bundle string) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, file), text, 0o600)
}

// Load reads the options of a bundle: the defaults if none were saved.
func Load(bundle string) (*Options, error) {
	o := new(Options)
	text, err := os.ReadFile(filepath.Join(bundle, file))
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err == nil {
		err = json.Unmarshal(text, o)
	}
	return o, err
}
