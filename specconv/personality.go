package specconv

import (
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// domains are the values of linux.personality.domain (personality(2)).
var domains = []number{
	{string(specs.PerLinux), 0},
	{string(specs.PerLinux32), 8},
}

// personalityFlags are the kernel's (include/uapi/linux/personality.h). The
// specification has none yet; those that it adds must be among them.
var personalityFlags = []number{
	{"UNAME26", 0x0020000},
	{"ADDR_NO_RANDOMIZE", 0x0040000},
	{"FDPIC_FUNCPTRS", 0x0080000},
	{"MMAP_PAGE_ZERO", 0x0100000},
	{"ADDR_COMPAT_LAYOUT", 0x0200000},
	{"READ_IMPLIES_EXEC", 0x0400000},
	{"ADDR_LIMIT_32BIT", 0x0800000},
	{"SHORT_INODE", 0x1000000},
	{"WHOLE_SECONDS", 0x2000000},
	{"STICKY_TIMEOUTS", 0x4000000},
	{"ADDR_LIMIT_3GB", 0x8000000},
}

// convertPersonality checks linux.personality.
func convertPersonality(out *config.Config, p *specs.LinuxPersonality) error {
	if p == nil {
		return nil
	}
	const field = "linux.personality"
	domain, err := lookUp(field+".domain", "domain", string(p.Domain), domains)
	if err != nil {
		return err
	}
	flags, err := lookUpFlags(field+".flags", "flag", p.Flags, personalityFlags)
	if err != nil {
		return err
	}
	persona := uint32(domain | flags)
	out.Personality = &persona
	return nil
}
