package main

import "regexp"

// harmlessMutations are mutations that no test can or need notice, with the reason.
var harmlessMutations = []struct {
	name   *regexp.Regexp
	reason string
}{}

// reasonFor returns the reason why a mutation is harmless, "" if it is not.
func reasonFor(name string) string {
	for _, h := range harmlessMutations {
		if h.name.MatchString(name) {
			return h.reason
		}
	}
	return ""
}
