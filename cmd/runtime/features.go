package main

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go/features"

	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/specconv"
)

func (a *app) featuresCommand() command {
	return command{
		usage: "print what berth supports",
		run: func(_ context.Context, l *line) error {
			if err := exactArgs(l, 0); err != nil {
				return err
			}
			yes := true
			enc := json.NewEncoder(l.out)
			enc.SetIndent("", "    ")
			return enc.Encode(specconv.Features(specconv.FeaturesOptions{
				Cgroup:       &features.Cgroup{V1: &yes, V2: &yes, Systemd: &yes, SystemdUser: &yes, Rdma: &yes},
				Annotations:  map[string]string{"org.berth.version": version, "org.berth.commit": commit},
				SeccompFlags: seccomp.SupportedFlags(),
			}))
		},
	}
}
