package libcontainer

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Fields that an update does not set stay saved.
func TestMergeResources(t *testing.T) {
	const saved = `{
		"devices": [{"allow": false, "access": "rwm"}],
		"memory": {"limit": 1, "swap": 2, "swappiness": 3, "checkBeforeUpdate": true},
		"cpu": {"shares": 4, "quota": 5, "burst": 6, "cpus": "0-1", "mems": "0"},
		"pids": {"limit": 7},
		"blockIO": {"weight": 10, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}, {"major": 8, "minor": 1, "rate": 2}]},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
		"network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
		"unified": {"a.b": "1"}
	}`
	for _, c := range []struct{ name, update, want string }{
		{"nothing", `{}`, saved},
		{"null and 0", `{"memory": {"limit": 0, "swap": 0}, "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": ""}, "pids": null, "blockIO": {"weight": 0}}`, saved},
		{"devices", `{"devices": [{"allow": true, "access": "rwm"}]}`, saved},
		{
			"some", `{
				"memory": {"limit": 11},
				"cpu": {"period": 12, "burst": 0, "idle": 0, "cpus": "1"},
				"pids": {"limit": 0},
				"blockIO": {"leafWeight": 20, "throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 3}, {"major": 9, "minor": 0, "rate": 4}]},
				"hugepageLimits": [{"pageSize": "1GB", "limit": 5}],
				"network": {"priorities": [{"name": "lo", "priority": 2}]},
				"rdma": {"x": {"hcaHandles": 1}},
				"unified": {"c.d": "2"}
			}`,
			`{
				"devices": [{"allow": false, "access": "rwm"}],
				"memory": {"limit": 11, "swap": 2, "swappiness": 3, "checkBeforeUpdate": true},
				"cpu": {"shares": 4, "quota": 5, "burst": 0, "period": 12, "cpus": "1", "mems": "0", "idle": 0},
				"pids": {"limit": 0},
				"blockIO": {"weight": 10, "leafWeight": 20, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}, {"major": 8, "minor": 1, "rate": 3}, {"major": 9, "minor": 0, "rate": 4}]},
				"hugepageLimits": [{"pageSize": "2MB", "limit": 1}, {"pageSize": "1GB", "limit": 5}],
				"network": {"classID": 1, "priorities": [{"name": "lo", "priority": 2}]},
				"rdma": {"x": {"hcaHandles": 1}},
				"unified": {"a.b": "1", "c.d": "2"}
			}`,
		},
	} {
		got := parsed(t, saved)
		mergeResources(got, parsed(t, c.update))
		if want := parsed(t, c.want); !reflect.DeepEqual(got, want) {
			text, _ := json.Marshal(got)
			t.Errorf("%s: %s", c.name, text)
		}
	}
	got := parsed(t, saved)
	mergeResources(got, parsed(t, `{"memory": {"limit": -1}}`))
	if *got.Memory.Limit != -1 || *got.Memory.Swap != -1 {
		t.Errorf("no limit of memory, but %d with swap", *got.Memory.Swap)
	}
}

// A change of the memory limit repeats the limit of memory and swap.
func TestCompleted(t *testing.T) {
	saved := parsed(t, `{"memory": {"limit": 1, "swap": 9, "checkBeforeUpdate": true}}`)
	for update, want := range map[string]string{
		`{"memory": {"limit": 5}}`:                             `{"memory": {"limit": 5, "swap": 9, "checkBeforeUpdate": true}}`,
		`{"memory": {"limit": 5, "swap": 6}}`:                  `{"memory": {"limit": 5, "swap": 6, "checkBeforeUpdate": true}}`,
		`{"memory": {"limit": -1}}`:                            `{"memory": {"limit": -1, "checkBeforeUpdate": true}}`,
		`{"memory": {"reservation": 5}}`:                       `{"memory": {"reservation": 5, "checkBeforeUpdate": true}}`,
		`{"memory": {"limit": 5, "checkBeforeUpdate": false}}`: `{"memory": {"limit": 5, "swap": 9, "checkBeforeUpdate": false}}`,
		`{"devices": [{"allow": true}], "pids": {"limit": 5}}`: `{"pids": {"limit": 5}}`,
	} {
		r := parsed(t, update)
		if got := completed(r, saved); !reflect.DeepEqual(got, parsed(t, want)) {
			text, _ := json.Marshal(got)
			t.Errorf("%s: %s", update, text)
		}
		if !reflect.DeepEqual(r, parsed(t, update)) {
			t.Errorf("%s: the caller's was changed", update)
		}
	}
}

func parsed(t *testing.T, text string) *specs.LinuxResources {
	t.Helper()
	r := new(specs.LinuxResources)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		t.Fatal(err)
	}
	return r
}
