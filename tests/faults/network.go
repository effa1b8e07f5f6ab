package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
)

// netDevice is the device of the rig's network namespace that the configuration "full"
// moves into the container.
const netDevice = "faults0"

// makeNetDevice makes the device. It ends with the network namespace of a container.
func makeNetDevice() error {
	if _, err := net.InterfaceByName(netDevice); err == nil {
		return nil
	}
	for _, line := range []string{
		"link add " + netDevice + " address 02:00:00:00:00:01 type ifb",
		"address add 192.0.2.5/24 dev " + netDevice,
		"address add 2001:db8::5/64 dev " + netDevice + " nodad",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}

// netDevices returns a line for each device of this process's network namespace.
func netDevices() (lines []string, err error) {
	list, err := net.Interfaces()
	for _, device := range list {
		addresses, e := device.Addrs()
		err = errors.Join(err, e)
		lines = append(lines, fmt.Sprintf("%s mtu %d, %s, %v", device.Name, device.MTU, device.Flags, addresses))
	}
	return lines, err
}

// countDevices counts network devices.
func countDevices(c census) error {
	lines, err := netDevices()
	for _, line := range lines {
		c["network device "+line] = true
	}
	return err
}

func showNetwork(b *strings.Builder) {
	lines, err := netDevices()
	fmt.Fprintf(b, "network devices: %v\n  %s\n", err, strings.Join(lines, "\n  "))
}
