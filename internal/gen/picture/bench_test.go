package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// benchText has results of which berth's run takes 10 ms, crun's 20 ms and runc's 90 ms.
func benchText(views ...string) []byte {
	var texts []string
	for _, view := range views {
		var results []string
		for _, mode := range []string{"cold", "hot"} {
			for name, ms := range map[string]int{"berth": 10, "crun 1.28": 20, "crun 1.8.1": 30, "runc 1.3.6": 90, "lower bound": 3} {
				results = append(results, fmt.Sprintf(`{"measurement": "run", "mode": %q, "runtime": %q, "wall_ms": [%d, %d, %d], "cpu_ms": [1, 2, 3]}`,
					mode, name, ms-1, ms, ms+2))
			}
		}
		slices.Sort(results)
		texts = append(texts, fmt.Sprintf(`{"view": %q, "newest": {"berth": "berth", "crun": "crun 1.28", "runc": "runc 1.3.6", "bound": "lower bound"}, "results": [%s]}`,
			view, strings.Join(results, ", ")))
	}
	return fmt.Appendf(nil, `{"date": "2026-12-01", "rounds": 7, "host": {"cpu": "a <CPU>", "cpus": 2, "kernel": "6.18"}, "views": [%s]}`, strings.Join(texts, ", "))
}

func TestBenchChart(t *testing.T) {
	text, err := drawBench(benchText("v1", "v2"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
	}
	// 40 ms are 270 points wide.
	for part, times := range map[string]int{
		`<rect class="berth" x="236" y="92" width="68" height="13"/>`:          1,
		`<path class="quartiles" d="M297 98 H317 M297 95 v6 M317 95 v6"/>`:     1,
		`<rect class="crun" x="236" y="108" width="135" height="13"/>`:         1,
		`<path class="runc" d="M236 124 H501 l5 6 l-5 7 H236 z"/>`:             1,
		`<text xml:space="preserve" class="value" x="512" y="135">90.0</text>`: 1,
		"a &lt;CPU&gt;, 2 CPUs, Linux 6.18":                                    1,
		"Median of 7 rounds":                                                   1,
		">30.0<":                                                               0, // crun 1.8.1 is not the newest
		"@media (prefers-color-scheme: dark)":                                  1,
	} {
		if got := strings.Count(string(text), part); got != times {
			t.Errorf("%q is %d times, not %d, in:\n%s", part, got, times, text)
		}
	}
	again, err := drawBench(benchText("v1", "v2"))
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("another picture of the same results (%v)", err)
	}
}

func TestBenchChartNeedsResults(t *testing.T) {
	for _, text := range []string{"{", `{"views": []}`, string(benchText("v1")), `{"views": [{"view": "v2"}]}`} {
		if _, err := drawBench([]byte(text)); err == nil {
			t.Errorf("drew %s", text)
		}
	}
}
