package cgroups

import (
	"strconv"
	"strings"
)

// PSI is pressure stall information: how long some or all of the processes
// waited for a resource.
type PSI struct {
	Some PSITimes `json:"some"`
	Full PSITimes `json:"full"`
}

// PSITimes are percentages over the last 10, 60 and 300 seconds, and a total
// in microseconds.
type PSITimes struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  uint64  `json:"total"`
}

// ParsePSI parses the content of a pressure file. It returns nil for an empty
// file.
func ParsePSI(text string) *PSI {
	if text == "" {
		return nil
	}
	var p PSI
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		to := &p.Some
		if f[0] == "full" {
			to = &p.Full
		}
		for _, field := range f[1:] {
			key, value, _ := strings.Cut(field, "=")
			// A value that does not parse is 0: the format may grow.
			switch key {
			case "avg10":
				to.Avg10, _ = strconv.ParseFloat(value, 64)
			case "avg60":
				to.Avg60, _ = strconv.ParseFloat(value, 64)
			case "avg300":
				to.Avg300, _ = strconv.ParseFloat(value, 64)
			case "total":
				to.Total, _ = strconv.ParseUint(value, 10, 64)
			}
		}
	}
	return &p
}
