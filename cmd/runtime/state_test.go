package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// TestStateIsEncodingJSON compares random states with the output of encoding/json. It
// fails if a new field of the state is not printed.
func TestStateIsEncodingJSON(t *testing.T) {
	if err := jsoncode.CompareWriter(encodeState); err != nil {
		t.Error(err)
	}
	if err := jsoncode.CompareWriter(encodeStates); err != nil {
		t.Error(err)
	}
}

func TestPrintState(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		state := jsoncode.Random[ociruntime.State](r)
		var got bytes.Buffer
		err := printState(&got, state)
		want, e := json.MarshalIndent(state, "", "  ")
		if (err == nil) != (e == nil) || got.String() != string(want) {
			t.Errorf("%+v: %v, printed\n%s\nencoding/json: %v\n%s", state, err, &got, e, want)
		}
	}
}

func TestPrintList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		states := *jsoncode.Random[[]*ociruntime.State](r)
		var got, want bytes.Buffer
		err := printList(&got, states, "json", false)
		e := json.NewEncoder(&want).Encode(states)
		if (err == nil) != (e == nil) || got.String() != want.String() {
			t.Errorf("%+v: %v, printed\n%s\nencoding/json: %v\n%s", states, err, &got, e, &want)
		}
	}
}
