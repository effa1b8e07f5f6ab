package setup

import (
	"context"
	"errors"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
)

// RestoreOptions are the options of Restore; see libcontainer.RestoreOptions.
type RestoreOptions struct {
	IO
	checkpoint.Options
	LSMProfile      string
	LSMMountContext string
	Rootless        bool
}

// Restore makes a container from an image of Checkpoint. Its processes run. After an
// error nothing of the container remains.
func (c Container) Restore(ctx context.Context, o RestoreOptions) (*Created, error) {
	if err := restoredLabels(c.Config, o.LSMProfile).Check(); err != nil {
		return nil, err
	}
	path, err := criu.Find(ctx, o.Criu, "")
	if err != nil {
		return nil, err
	}
	images, err := o.Open(c.Config, true)
	if err != nil {
		return nil, err
	}
	defer images.Close()
	images.LSMProfile, images.LSMMountContext = o.LSMProfile, o.LSMMountContext
	j := c.job(ctx, inRestore)
	j.cfg = withNotifyMount(c.Config, c.Dir)
	j.IO, j.rootless, j.criu, j.images = o.IO, o.Rootless, path, images
	r := newRun(restoreSteps[:], j, values{})
	defer r.release()
	err = r.walk()
	w := r.witness()
	if err != nil {
		w.Close()
		return nil, images.Explain(err)
	}
	c.Config, c.State, c.Filter = asSaved(r.cfg), r.state, r.bytecodeMade()
	return &Created{c, r.restored, w}, nil
}

// restoreSteps lists everything that happens between "config checked" and "the restored
// processes run", as steps does for the other operations. CRIU makes the namespaces, the
// mounts and the processes, so restore shares no step with others from there on.
var restoreSteps = [...]step{
	{
		name: "reserve state", side: hostSide, in: inRestore, ground: hostTree,
		makes: "lock state",
		do:    reserveState, undo: undoState,
		why: "mkdir claims the ID atomically",
	},
	{
		name: "plan cgroup", side: hostSide, in: inRestore, ground: hostTree,
		makes: "cgroup unit planned",
		do:    planCgroup, undo: undoCgroup,
		why: "recorded in the state before it exists: delete finds it after a killed restore",
	},
	{
		name: "make notify directory", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &notifies}},
		makes: "notify",
		do:    makeNotifyDir,
		why:   "mounted in the container; a listener can recreate the socket in it",
	},
	{
		name: "make cgroup", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{isNot, &usesSystemd}},
		needs: "cgroup planned", makes: "state.Cgroups ownCgroup",
		do:  makeCgroup,
		why: "before CRIU, which sets the image's limits on cgroups that it makes itself",
	},
	{
		name: "set device rules", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{isNot, &usesSystemd}},
		needs: "cgroup",
		do:    setDeviceRules,
		why:   "before CRIU, which opens the files of the image; other limits must not apply to it",
	},
	{
		name: "make resctrl group", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &usesResctrl}},
		makes: "state.Resctrl",
		do:    makeResctrlGroup, undo: undoResctrlGroup,
		why: "recorded in the state before it exists; removed after CRIU, which is in it",
	},
	{
		name: "compile filter", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &filters}},
		makes: "filter",
		do:    compileFilter,
		why:   "for exec; the restored processes have that of the image, which must be the same",
	},
	{
		name: "start CRIU's stub", side: hostSide, in: inRestore, ground: hostTree,
		needs: "cgroup unit", makes: "child stub saved conn",
		do: startCriuStub, undo: undoCriu,
		why: "prepares the mounts for CRIU in a mount namespace of its own, which ends with it",
	},
	{
		name: "start unit", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &usesSystemd}},
		needs: "unit child planned", makes: "state.Cgroups state.Unit limits",
		do:  startUnit,
		why: "systemd makes a scope around an existing process",
	},
	{
		name: "enter resctrl group", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &usesResctrl}},
		needs: "state.Resctrl child",
		do:    enterResctrlGroup,
		why:   "the restored processes inherit the group",
	},
	{
		name: "take mappings", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{isNot, &joinsUser}},
		makes: "maps",
		do:    takeMappings,
		why:   "the mappings of config.json; empty without a user namespace",
	},
	{
		name: "enter cgroup", side: stubSide, in: inRestore, ground: hostTree,
		needs: "cgroup",
		do:    enterCgroup,
		why:   "the restored processes inherit it, whatever the image says about cgroups",
	},
	{
		name: "unshare mounts", side: stubSide, in: inRestore, ground: hostTree,
		do:  isolateCriu,
		why: "CRIU needs the root as a mount; no mount may reach the host, or remain",
	},
	{
		name: "move root of a ramdisk", side: stubSide, in: inRestore, ground: hostTree,
		when: []condition{{is, &noPivot}},
		do:   coverRamdisk,
		why:  "CRIU's pivot_root(2) needs a root with a parent mount, which a ramdisk that is \"/\" lacks",
	},
	{
		name: "open root", side: stubSide, in: inRestore, ground: hostTree,
		needs: "child", makes: "tree",
		do:  openRoot,
		why: "once: every mount point is resolved from this descriptor (CVE-2021-30465)",
	},
	{
		name: "make mount points", side: hostSide, in: inRestore, ground: hostTree,
		needs: "tree",
		do:    makePoints,
		why:   "the root may be a new one of the same container image",
	},
	{
		name: "make root read-only", side: stubSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &readonlyRoot}},
		needs: "tree",
		do:    makeRootReadonly,
		why:   "CRIU restores the flags of all mounts but the root; no later step makes a file in it",
	},
	{
		name: "await limits", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &usesSystemd}},
		needs: "limits",
		do:    awaitLimits,
		why:   "CRIU must be in its unit before it makes processes",
	},
	{
		name: "await filter", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &filters}},
		needs: "filter",
		do:    awaitFilter,
		why:   "an error in linux.seccomp ends restore before there is a process",
	},
	{
		name: "chown cgroup", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &delegatesCgroup}, {isNot, &joinsUser}},
		needs: "cgroup state.Cgroups maps",
		do:    chownCgroup,
		why:   "to the program's user (config-linux.md, Cgroup ownership)",
	},
	{
		name: "execute CRIU", side: hostSide, in: inRestore, ground: hostTree,
		needs: "child conn",
		do:    executeCriu,
		why:   "in the stub: it has the mounts and the cgroup",
	},
	{
		name: "verify filters", side: hostSide, in: inRestore, ground: hostTree,
		when:  []condition{{is, &filters}},
		needs: "filter",
		do:    verifyFilters,
		why:   "those of the image are compared with that of config.json, in the directory that CRIU reads",
	},
	{
		name: "restore processes", side: hostSide, in: inRestore, ground: gone,
		needs: "conn child stub cgroup unit state.Cgroups", makes: "restored state.Pid state.StartTime mover",
		do: restoreProcesses, undo: undoRestored,
		why: "CRIU makes them; hooks, devices, limits and checks run while they are stopped",
	},
	{
		name: "save restored state", side: hostSide, in: inRestore, ground: gone,
		needs: "lock saved state", makes: "state.Complete",
		do:  saveRestored,
		why: "from here on the container is running",
	},
}

var errNoInit = errors.New("CRIU has not restored a process")
