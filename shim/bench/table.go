package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// table has the values of all rounds, by the name of the measurement.
type table map[string][]float64

func (t *table) add(v values) {
	if *t == nil {
		*t = table{}
	}
	for name, value := range v {
		(*t)[name] = append((*t)[name], value)
	}
}

// typical is the mean of a CPU time, which is the sum of units, and the median of others.
func typical(name string, list []float64) float64 {
	if !strings.HasSuffix(name, "CPU") {
		return median(list)
	}
	sum := 0.0
	for _, value := range list {
		sum += value
	}
	return sum / float64(len(list))
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[n/2] + list[(n-1)/2]) / 2
}

// printResults prints medians, and the ratio of the last candidate to each other one.
func printResults(w io.Writer, candidates []candidate, results []table) {
	own := results[len(results)-1]
	for _, name := range slices.Sorted(maps.Keys(own)) {
		fmt.Fprintln(w, name)
		for i, c := range candidates {
			value := typical(name, results[i][name])
			fmt.Fprintf(w, "  %-24s %9.2f", c.name, value)
			if i < len(candidates)-1 && value > 0 {
				fmt.Fprintf(w, "   berth's shim: %.2f", typical(name, own[name])/value)
			}
			fmt.Fprintln(w)
		}
	}
}
