package main

import (
	"fmt"
	"slices"
	"strings"
)

// raceSummary is the last line of a contest.
const raceSummary = "%d races, %d slices expired, %d findings"

// raceBeds are where the contests are run.
var raceBeds = []string{"host", "v2", "systemd"}

// heat is a contest in a bed.
type heat struct{ bed, contest string }

func (h heat) String() string { return "races/" + h.bed + "/" + h.contest }

// heats are all of them, in an order without meaning but stable.
func heats() (list []heat) {
	for name, c := range contests {
		for _, bed := range raceBeds {
			if c.controllers() && !beds[bed].controllers {
				continue
			}
			list = append(list, heat{bed, name})
		}
	}
	slices.SortFunc(list, func(a, b heat) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// controllers reports whether a rival needs a controller.
func (c contest) controllers() bool {
	return slices.ContainsFunc(c.rivals, func(r rival) bool { return r.args[0] == "update" })
}

// races runs the contests in their beds.
func races(args []string) error {
	flags := newProofFlags("races")
	count := flags.Int("count", 20, "how many races of each contest are run")
	if err := parse(flags.FlagSet, args, 1); err != nil {
		return err
	}
	var list []job
	for _, h := range heats() {
		list = append(list, job{name: h.String(), bed: h.bed, args: []string{
			"race", "--bed", h.bed, "--count", fmt.Sprint(*count), "--seed", fmt.Sprint(*flags.seed), flags.Arg(0), h.contest,
		}})
	}
	return flags.run(list, raceSummary)
}
