package main

import (
	"fmt"
	"io"
)

// columns are the tables of a view, and whether they have cold measurements, too.
var columns = []struct {
	title string
	cold  bool
	of    func(*result) (value, ratio float64)
}{
	{"wall time, ms", true, func(r *result) (float64, float64) { return r.Wall[1], r.WallRatio }},
	{"CPU time, ms", true, func(r *result) (float64, float64) { return r.CPU[1], r.CPURatio }},
	{"peak memory, KiB", false, func(r *result) (float64, float64) { return r.Peak, 0 }},
	{"page faults", false, func(r *result) (float64, float64) { return r.Faults, 0 }},
	{"context switches", false, func(r *result) (float64, float64) { return r.Switches, 0 }},
	{"system calls", false, func(r *result) (float64, float64) { return r.Calls, 0 }},
}

// printTables prints the medians of each view.
func printTables(w io.Writer, all results) {
	for _, v := range all.Views {
		fmt.Fprintf(w, "\ncgroup %s: medians of %d rounds; in brackets the median of berth's ratios to this runtime\n", v.View, all.Rounds)
		for _, c := range columns {
			printTable(w, v, c.title, c.cold, c.of)
		}
		printValues(w, v)
		for _, note := range v.Notes {
			fmt.Fprintln(w, note)
		}
	}
}

// head prints the names of the runtimes.
func head(w io.Writer, title string, v viewResult) {
	fmt.Fprintf(w, "\n%-32s", title)
	for _, c := range v.Runtimes {
		fmt.Fprintf(w, "%18s", c.Name)
	}
	fmt.Fprintln(w)
}

func printTable(w io.Writer, v viewResult, title string, withCold bool, of func(*result) (value, ratio float64)) {
	if len(v.Results) == 0 {
		return
	}
	head(w, title, v)
	for _, first := range v.Results {
		if first.Runtime != berth || first.Mode == cold && !withCold {
			continue
		}
		name := first.Measurement
		if withCold {
			name += ", " + first.Mode
		}
		fmt.Fprintf(w, "%-32s", name)
		for _, c := range v.Runtimes {
			fmt.Fprint(w, cell(v.find(first.Measurement, first.Mode, c.Name), of))
		}
		fmt.Fprintln(w)
	}
}

// cell is a value, unless that is 0, with a ratio, unless that is 0.
func cell(r *result, of func(*result) (value, ratio float64)) string {
	var value, ratio float64
	if r != nil {
		value, ratio = of(r)
	}
	switch {
	case value == 0:
		return fmt.Sprintf("%18s", "-")
	case ratio != 0:
		return fmt.Sprintf("%11.2f (%.2f)", value, ratio)
	case value == float64(int(value)):
		return fmt.Sprintf("%18.0f", value)
	}
	return fmt.Sprintf("%11.2f       ", value)
}

func printValues(w io.Writer, v viewResult) {
	if len(v.Values) == 0 {
		return
	}
	head(w, "memory, KiB", v)
	for _, first := range v.Values {
		if first.Runtime != berth {
			continue
		}
		fmt.Fprintf(w, "%-32s", first.Name)
		for _, c := range v.Runtimes {
			if kib, measured := v.value(first.Name, c.Name); measured {
				fmt.Fprintf(w, "%18.0f", kib)
			} else {
				fmt.Fprintf(w, "%18s", "-")
			}
		}
		fmt.Fprintln(w)
	}
}
