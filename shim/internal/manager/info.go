package manager

import (
	"context"
	"fmt"
	"io"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/shim/internal/options"
	"github.com/berth-oci/berth/specconv"
)

func init() {
	// The name under which containerd reads it (its core/runtime/typeurl.go).
	typeurl.Register(&features.Features{}, "types.containerd.io", "opencontainers/runtime-spec", "1", "features", "Features")
}

// Info describes the runtime, with the options that it was asked for.
func (m *Manager) Info(_ context.Context, in io.Reader) (*types.RuntimeInfo, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	info := &types.RuntimeInfo{
		Name:    Name,
		Version: &types.RuntimeVersion{Version: m.version, Revision: m.commit},
	}
	if len(text) > 0 {
		info.Options = new(anypb.Any)
		if err := proto.Unmarshal(text, info.Options); err != nil {
			return nil, fmt.Errorf("read options: %w", err)
		}
		if _, err := options.FromAny(info.Options); err != nil {
			return nil, err
		}
	}
	info.Features, err = typeurl.MarshalAnyToProto(m.features())
	return info, err
}

func (m *Manager) features() *features.Features {
	yes := true
	return specconv.Features(specconv.FeaturesOptions{
		Cgroup:       &features.Cgroup{V1: &yes, V2: &yes, Systemd: &yes, SystemdUser: &yes, Rdma: &yes},
		Annotations:  map[string]string{"org.berth.version": m.version, "org.berth.commit": m.commit},
		SeccompFlags: seccomp.SupportedFlags(),
	})
}
