package main

// kubernetesBeds are the beds of tests/kubernetes: a node with containerd, and berth under
// the shim of runc, or as the shim.
var kubernetesBeds = []bed{
	{name: "kubernetes", enter: []string{kubernetesDir + "/bed"}, tags: []string{"kubernetes"}, dir: kubernetesDir, apart: true},
	{name: "kubernetes-shim", enter: []string{"env", "SHIM=bin/" + shim, kubernetesDir + "/bed"}, tags: []string{"kubernetes"}, own: true, dir: kubernetesDir, apart: true},
}
