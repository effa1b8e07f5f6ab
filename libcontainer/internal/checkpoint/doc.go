// Package checkpoint connects containers with CRIU: it names the mounts and descriptors
// that an image does not contain, and the directories and options that dump and restore
// share.
package checkpoint
