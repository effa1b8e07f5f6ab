package specconv

import (
	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// namespaceTypes is sorted by name.
var namespaceTypes = []struct {
	name specs.LinuxNamespaceType
	flag uint64
}{
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP},
	{specs.IPCNamespace, unix.CLONE_NEWIPC},
	{specs.MountNamespace, unix.CLONE_NEWNS},
	{specs.NetworkNamespace, unix.CLONE_NEWNET},
	{specs.PIDNamespace, unix.CLONE_NEWPID},
	{specs.TimeNamespace, unix.CLONE_NEWTIME},
	{specs.UserNamespace, unix.CLONE_NEWUSER},
	{specs.UTSNamespace, unix.CLONE_NEWUTS},
}

// Namespaces returns the supported values of linux.namespaces[].type, sorted.
func Namespaces() []string {
	names := make([]string, len(namespaceTypes))
	for i, row := range namespaceTypes {
		names[i] = string(row.name)
	}
	return names
}

// convertNamespaces checks linux.namespaces (config-linux.md, Namespaces).
func convertNamespaces(list []specs.LinuxNamespace) (config.Namespaces, error) {
	var out config.Namespaces
	for i, ns := range list {
		field := index("linux.namespaces", i)
		flag, err := namespaceFlag(field+".type", string(ns.Type))
		if err != nil {
			return out, err
		}
		if out.Has(flag) {
			return out, fieldErr(field+".type", "%q is listed twice", ns.Type)
		}
		if ns.Path == "" {
			out.New |= flag
			continue
		}
		join, err := convertJoin(field+".path", ns.Path, flag)
		if err != nil {
			return out, err
		}
		out.Join = append(out.Join, join)
	}
	return out, nil
}

// convertJoin checks the path of a namespace to join.
func convertJoin(field, path string, flag uint64) (config.Namespace, error) {
	clean, err := absolute(field, path)
	if err != nil {
		return config.Namespace{}, err
	}
	return config.Namespace{Type: flag, Path: clean, Field: field}, nil
}

// namespaceFlag returns the CLONE_NEW* flag of a namespace type.
func namespaceFlag(field, name string) (uint64, error) {
	if name == "" {
		return 0, missing(field, config.OneOf(Namespaces()))
	}
	for _, row := range namespaceTypes {
		if string(row.name) == name {
			return row.flag, nil
		}
	}
	return 0, fieldErr(field, "unknown namespace %s%s", config.Quote(name), config.DidYouMean(name, Namespaces()))
}
