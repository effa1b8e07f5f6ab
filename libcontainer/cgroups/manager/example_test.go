package manager_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel makes a process in a cgroup with limits.
func Example() {
	m, err := manager.New(manager.Options{CgroupsPath: "/example/web", ID: "web"})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Create(); err != nil {
		log.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := m.Destroy(ctx); err != nil {
			log.Print(err)
		}
	}()

	limit := int64(64 << 20)
	err = m.Set(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit},
		// Deny all devices except those that every container may use.
		Devices: devices.WithDefaults([]specs.LinuxDeviceCgroup{{Access: "rwm"}}),
	})
	if err != nil {
		log.Fatal(err)
	}

	// cgroup v2; on v1 the process writes "0" to each of Entry().Files itself.
	dir, err := os.Open(m.Entry().Dir)
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.Command("sleep", "1")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if err := cmd.Run(); err != nil {
		log.Fatal(err)
	}
	stats, err := m.Stats()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.Memory.Usage.Max)
}
