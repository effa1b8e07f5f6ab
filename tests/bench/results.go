package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// results are what the file of results has.
type results struct {
	Date   string       `json:"date"`
	Host   host         `json:"host"`
	Rounds int          `json:"rounds"`
	Views  []viewResult `json:"views"`
}

// encode has one line for each result.
func (all results) encode() ([]byte, error) {
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	text = bytes.ReplaceAll(text, []byte(`[{"`), []byte("[\n{\""))
	text = bytes.ReplaceAll(text, []byte(`},{"`), []byte("},\n{\""))
	return append(text, '\n'), nil
}

type host struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
}

// viewResult are the results with one version of cgroups.
type viewResult struct {
	View     string      `json:"view"`
	Runtimes []candidate `json:"runtimes"`
	// Newest are the newest runtimes of their kinds, by kind: those that limits are about.
	Newest  map[string]string `json:"newest"`
	Results []result          `json:"results"`
	Values  []value           `json:"values"`
	Notes   []string          `json:"notes,omitempty"`
}

// result is the summary of a series. The ratios are the medians of berth's values
// divided by this runtime's in the same round.
type result struct {
	Measurement string    `json:"measurement"`
	Mode        string    `json:"mode"`
	Runtime     string    `json:"runtime"`
	Wall        quartiles `json:"wall_ms"`
	CPU         quartiles `json:"cpu_ms"`
	WallRatio   float64   `json:"wall_ratio,omitempty"`
	CPURatio    float64   `json:"cpu_ratio,omitempty"`
	Peak        float64   `json:"peak_kib"`
	Faults      float64   `json:"page_faults"`
	Switches    float64   `json:"context_switches"`
	Calls       float64   `json:"system_calls,omitempty"`
}

// quartiles are the first, the median and the third.
type quartiles [3]float64

// summarize is pure.
func summarize(view string, found *measured) viewResult {
	v := viewResult{View: view, Runtimes: found.Candidates, Newest: map[string]string{}, Values: found.Values, Notes: found.Notes}
	for _, c := range found.Candidates {
		v.Newest[c.Kind] = newest(found.Candidates, c.Kind).Name
	}
	for _, s := range found.Series {
		r := result{
			Measurement: s.Measurement, Mode: s.Mode, Runtime: s.Runtime,
			Wall: quartilesOf(values(s, wall)), CPU: quartilesOf(values(s, cpu)),
			Peak:     median(values(s, func(s sample) float64 { return s.Peak })),
			Faults:   median(values(s, func(s sample) float64 { return s.Faults })),
			Switches: median(values(s, func(s sample) float64 { return s.Switches })),
			Calls:    s.Calls,
		}
		if own := found.series(s.Measurement, s.Mode, berth); own != nil && own != s {
			r.WallRatio, r.CPURatio = ratio(own, s, wall), ratio(own, s, cpu)
		}
		v.Results = append(v.Results, r)
	}
	// Rounds differ in their order.
	slices.SortStableFunc(v.Results, func(a, b result) int {
		return cmp.Or(cmp.Compare(place(a.Measurement), place(b.Measurement)), cmp.Compare(a.Mode, b.Mode))
	})
	return v
}

// place is the place of a measurement among all.
func place(name string) int {
	n := 0
	for _, m := range measurements {
		for _, part := range m.parts {
			if part == name {
				return n
			}
			n++
		}
	}
	return n + slices.Index(manyNames, name)
}

func wall(s sample) float64 { return s.Wall }
func cpu(s sample) float64  { return s.CPU }

func values(s *series, of func(sample) float64) []float64 {
	var all []float64
	for _, one := range s.Samples {
		all = append(all, of(one))
	}
	return all
}

// series returns nil if it was not measured.
func (m *measured) series(measurement, mode, runtime string) *series {
	i := slices.IndexFunc(m.Series, func(s *series) bool {
		return s.Measurement == measurement && s.Mode == mode && s.Runtime == runtime
	})
	if i < 0 {
		return nil
	}
	return m.Series[i]
}

// ratio is the median of the ratios of each round: load that affects a whole round does
// not change it.
func ratio(a, b *series, of func(sample) float64) float64 {
	var all []float64
	for i := range min(len(a.Samples), len(b.Samples)) {
		all = append(all, of(a.Samples[i])/of(b.Samples[i]))
	}
	return median(all)
}

func median(all []float64) float64 { return quartilesOf(all)[1] }

// quartilesOf interpolates between the two nearest values.
func quartilesOf(all []float64) quartiles {
	sorted := slices.Sorted(slices.Values(all))
	var q quartiles
	for i := range q {
		at := float64(len(sorted)-1) * float64(i+1) / 4
		below := int(at)
		above := min(below+1, len(sorted)-1)
		q[i] = rounded(sorted[below] + (at-float64(below))*(sorted[above]-sorted[below]))
	}
	return q
}

// rounded has three decimals, so that files of results are short.
func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

// find returns nil if the runtime has no such result.
func (v *viewResult) find(measurement, mode, runtime string) *result {
	i := slices.IndexFunc(v.Results, func(r result) bool {
		return r.Measurement == measurement && r.Mode == mode && r.Runtime == runtime
	})
	if i < 0 {
		return nil
	}
	return &v.Results[i]
}

// value returns a value of a runtime that was measured once.
func (v *viewResult) value(name, runtime string) (kib float64, measured bool) {
	i := slices.IndexFunc(v.Values, func(one value) bool { return one.Name == name && one.Runtime == runtime })
	if i < 0 {
		return 0, false
	}
	return v.Values[i].KiB, true
}

// seriesOf returns the first two numbers of a kernel's release.
func seriesOf(release string) string {
	numbers := strings.SplitN(release, ".", 3)
	return strings.Join(numbers[:min(len(numbers), 2)], ".")
}

func thisHost() host {
	h := host{CPU: "unknown", CPUs: runtime.NumCPU()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		h.Kernel = seriesOf(unix.ByteSliceToString(name.Release[:]))
	}
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return h
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == "model name" {
			h.CPU = strings.TrimSpace(value)
			break
		}
	}
	return h
}
