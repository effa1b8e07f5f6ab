package specconv

import (
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Modes of set_mempolicy(2) (include/uapi/linux/mempolicy.h).
const (
	mpolDefault = iota
	mpolPreferred
	mpolBind
	mpolInterleave
	mpolLocal
	mpolPreferredMany
	mpolWeightedInterleave
)

// memoryModes are the values of linux.memoryPolicy.mode.
var memoryModes = []number{
	{string(specs.MpolDefault), mpolDefault},
	{string(specs.MpolBind), mpolBind},
	{string(specs.MpolInterleave), mpolInterleave},
	{string(specs.MpolWeightedInterleave), mpolWeightedInterleave},
	{string(specs.MpolPreferred), mpolPreferred},
	{string(specs.MpolPreferredMany), mpolPreferredMany},
	{string(specs.MpolLocal), mpolLocal},
}

const (
	mpolStaticNodes   = 1 << 15
	mpolRelativeNodes = 1 << 14
)

// memoryFlags are the values of linux.memoryPolicy.flags.
var memoryFlags = []number{
	{string(specs.MpolFNumaBalancing), 1 << 13},
	{string(specs.MpolFRelativeNodes), mpolRelativeNodes},
	{string(specs.MpolFStaticNodes), mpolStaticNodes},
}

// nodeMost is one more than the highest number of a memory node (NODES_SHIFT).
const nodeMost = 1024

// convertMemoryPolicy checks linux.memoryPolicy by the rules of
// set_mempolicy(2), as far as they do not depend on the host.
func convertMemoryPolicy(out *config.Config, p *specs.LinuxMemoryPolicy) error {
	if p == nil {
		return nil
	}
	const field = "linux.memoryPolicy"
	mode, err := lookUp(field+".mode", "mode", string(p.Mode), memoryModes)
	if err != nil {
		return err
	}
	flags, err := lookUpFlags(field+".flags", "flag", p.Flags, memoryFlags)
	if err != nil {
		return err
	}
	if flags&mpolStaticNodes != 0 && flags&mpolRelativeNodes != 0 {
		return fieldErr(field+".flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
	}
	nodes, err := bitmap(field+".nodes", "node", p.Nodes, nodeMost)
	if err != nil {
		return err
	}
	switch mode {
	case mpolDefault, mpolLocal:
		if len(nodes) > 0 {
			return fieldErr(field+".nodes", "%s: %s takes none", config.Quote(p.Nodes), p.Mode)
		}
	case mpolPreferred:
	default:
		if len(nodes) == 0 {
			return fieldErr(field+".nodes", "missing: %s wants at least one", p.Mode)
		}
	}
	out.MemoryPolicy = &config.MemoryPolicy{Mode: int(mode | flags), Nodes: nodes}
	return nil
}
