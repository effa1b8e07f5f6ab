package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// The chart of "make bench": a group of bars for each measurement, on the left of wall
// time, on the right of CPU time. A bar is a median, the line on it joins the quartiles.

// benchResults is the part of the results that the chart shows.
type benchResults struct {
	Date   string
	Rounds int
	Host   struct {
		CPU    string
		CPUs   int
		Kernel string
	}
	Views []benchView
}

type benchView struct {
	View    string
	Newest  map[string]string
	Results []benchResult
}

type benchResult struct {
	Measurement, Mode, Runtime string
	Wall                       quartiles `json:"wall_ms"`
	CPU                        quartiles `json:"cpu_ms"`
}

// quartiles are the first, the median and the third.
type quartiles [3]float64

// groups are the measurements of the chart.
var groups = []struct{ label, measurement, mode string }{
	{"run, after a pause", "run", "cold"},
	{"run, after another", "run", "hot"},
	{"run, Docker's seccomp profile", "run with Docker's profile", "hot"},
	{"create + start + delete", "create+start+delete", "hot"},
	{"exec", "exec", "hot"},
	{"state", "state", "hot"},
}

// kinds are the runtimes of the chart, and the classes of their bars.
var kinds = []string{"berth", "crun", "runc", "bound"}

// Sizes of the chart.
const (
	chartWidth = 940
	chartTop   = 92
	labelAt    = 20
	barHeight  = 13
	barPitch   = 16
	groupGap   = 14
	barsWidth  = 270
)

// panels are the two halves.
var panels = []struct {
	title string
	x     int
	of    func(*benchResult) quartiles
}{
	{"wall time, ms", 236, func(r *benchResult) quartiles { return r.Wall }},
	{"CPU time, ms", 606, func(r *benchResult) quartiles { return r.CPU }},
}

// drawBench draws the results of cgroup v2.
func drawBench(text []byte) ([]byte, error) {
	var all benchResults
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	var v *benchView
	for i := range all.Views {
		if all.Views[i].View == "v2" {
			v = &all.Views[i]
		}
	}
	if v == nil {
		return nil, fmt.Errorf("the results have no view of cgroup v2")
	}
	for _, kind := range kinds {
		if v.find(groups[0].measurement, groups[0].mode, kind) == nil {
			return nil, fmt.Errorf("the results have no %s of %s", groups[0].measurement, kind)
		}
	}
	elements, height := v.layout(&all)
	var b bytes.Buffer
	fmt.Fprintf(&b, benchHead, chartWidth, height, chartWidth, height, "Wall and CPU time of berth, crun, runc and a lower bound")
	for _, e := range append([]element{box{class: "page", x: 1, y: 1, w: chartWidth - 2, h: height - 2}}, elements...) {
		e.draw(&b)
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// layout returns all elements, and the height that they need.
func (v *benchView) layout(all *benchResults) (elements []element, height int) {
	elements = append(elements,
		label{"title", labelAt, 30, fmt.Sprintf("Median of %d rounds and quartiles, cgroup v2", all.Rounds)},
		label{"note", labelAt, 50, fmt.Sprintf("%s: %s, %d CPUs, Linux %s", all.Date, all.Host.CPU, all.Host.CPUs, all.Host.Kernel)})
	elements = append(elements, v.legend()...)
	y := chartTop
	for _, g := range groups {
		elements = append(elements, label{"group", labelAt, y + barHeight - 2, g.label})
		rows := 0
		for _, kind := range kinds {
			r := v.find(g.measurement, g.mode, kind)
			if r == nil {
				continue
			}
			for _, p := range panels {
				elements = append(elements, bar{class: kind, x: p.x, y: y + rows*barPitch, of: p.of(r), scale: v.scale(p.of)})
			}
			rows++
		}
		y += rows*barPitch + groupGap
	}
	for _, p := range panels {
		elements = append(elements, label{"title", p.x, chartTop - 12, p.title})
		elements = append(elements, rule{x: p.x, from: chartTop - 4, to: y - groupGap + 4})
	}
	elements = append(elements, label{"note", labelAt, y + 6, "A bar with a pointed end is longer than the chart."})
	return elements, y + 22
}

func (v *benchView) legend() []element {
	var all []element
	x := 440
	for _, kind := range kinds {
		all = append(all, swatch{class: kind, x: x, y: 20}, label{"group", x + 18, 30, v.Newest[kind]})
		x += 122
	}
	return all
}

// find returns nil if the newest runtime of a kind has no such result.
func (v *benchView) find(measurement, mode, kind string) *benchResult {
	for i := range v.Results {
		r := &v.Results[i]
		if r.Measurement == measurement && r.Mode == mode && r.Runtime == v.Newest[kind] {
			return r
		}
	}
	return nil
}

// scale returns the points of a millisecond: twice crun's longest bar is the whole
// width.
func (v *benchView) scale(of func(*benchResult) quartiles) float64 {
	longest := 0.0
	for _, g := range groups {
		if r := v.find(g.measurement, g.mode, "crun"); r != nil {
			longest = max(longest, of(r)[1])
		}
	}
	return barsWidth / (2 * longest)
}

// bar is a median with its quartiles.
type bar struct {
	class string
	x, y  int
	of    quartiles
	scale float64
}

func (e bar) draw(b *bytes.Buffer) {
	at := func(value float64) int { return e.x + int(math.Round(min(value*e.scale, barsWidth))) }
	middle := e.y + barHeight/2
	end := at(e.of[1])
	if open := e.of[1]*e.scale > barsWidth; open {
		const tooth = 5
		fmt.Fprintf(b, "<path class=%q d=\"M%d %d H%d l%d %d l-%d %d H%d z\"/>\n",
			e.class, e.x, e.y, end-tooth, tooth, barHeight/2, tooth, barHeight-barHeight/2, e.x)
	} else {
		fmt.Fprintf(b, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", e.class, e.x, e.y, end-e.x, barHeight)
		fmt.Fprintf(b, "<path class=\"quartiles\" d=\"M%d %d H%d M%d %d v6 M%d %d v6\"/>\n",
			at(e.of[0]), middle, at(e.of[2]), at(e.of[0]), middle-3, at(e.of[2]), middle-3)
		end = at(e.of[2])
	}
	label{"value", end + 6, e.y + barHeight - 2, fmt.Sprintf("%.1f", e.of[1])}.draw(b)
}

// swatch is a sample of a colour.
type swatch struct {
	class string
	x, y  int
}

func (e swatch) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, "<rect class=%q x=\"%d\" y=\"%d\" width=\"12\" height=\"12\"/>\n", e.class, e.x, e.y)
}

// rule is the line that bars begin at.
type rule struct{ x, from, to int }

func (e rule) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, "<path class=\"rule\" d=\"M%d %d V%d\"/>\n", e.x, e.from, e.to)
}

// benchHead has a background of its own and colours for dark mode, like that of the
// other picture.
const benchHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<!-- Generated by internal/gen/picture ("make generate") from docs/bench.json; do not edit. -->
<title>%s</title>
<style>
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; font-size: 13px; fill: #24292f; }
.title { font-weight: 600; font-size: 14px; }
.note, .value { font-size: 12px; fill: #57606a; }
.page { fill: #ffffff; stroke: #d0d7de; }
.berth { fill: #54aeff; }
.crun { fill: #d4a72c; }
.runc { fill: #ff8182; }
.bound { fill: #8c959f; }
.rule { fill: none; stroke: #8c959f; }
.quartiles { fill: none; stroke: #24292f; stroke-width: 1.2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.note, .value { fill: #9198a1; }
.page { fill: #0d1117; stroke: #3d444d; }
.berth { fill: #388bfd; }
.crun { fill: #bb8009; }
.runc { fill: #da3633; }
.bound { fill: #656c76; }
.rule { stroke: #656c76; }
.quartiles { stroke: #e6edf3; }
}
</style>
`
