package main

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/urfave/cli/v3"

	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/specconv"
)

func (a *app) featuresCommand() *cli.Command {
	return &cli.Command{
		Name:  "features",
		Usage: "print what berth supports",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 0); err != nil {
				return err
			}
			yes := true
			enc := json.NewEncoder(cmd.Root().Writer)
			enc.SetIndent("", "    ")
			return enc.Encode(specconv.Features(specconv.FeaturesOptions{
				Cgroup:       &features.Cgroup{V1: &yes, V2: &yes, Systemd: &yes, SystemdUser: &yes, Rdma: &yes},
				Annotations:  map[string]string{"org.berth.version": version, "org.berth.commit": commit},
				SeccompFlags: seccomp.SupportedFlags(),
			}))
		},
	}
}
