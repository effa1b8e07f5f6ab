// Package stub starts and drives the stub: a process of a few hundred bytes
// that performs system calls for its driver. The stub does all of berth's work
// inside a container, so no Go, no libc and no parser ever runs there.
//
// # The loop of the stub
//
// It starts with two descriptors: 3, the control socket, and 4, the region.
// It reads eight bytes from 3 (the length of the region), maps 4 at a fixed
// address, and then, for ever: reads one byte, performs the batch of
// operations in the region, answers one byte. When the control socket ends, it
// exits: a driver that dies half-way leaves no process.
//
// # The region
//
//	offset   0  u32     number of operations in the batch
//	offset  64  op[N]   operations of 80 bytes:
//	            u32     system call number
//	            u32     flags
//	            u16[6]  per argument: 0, or the word of the region (offset/8)
//	                    that replaces the literal; it is a result: if that is
//	                    an error, the operation is not performed, its result
//	                    is -ECANCELED and the batch continues
//	            u8[4]   errnos that the operation may fail with; all 0: any
//	            u64[6]  literal arguments
//	            i64     result, or -errno
//	offset arenaStart   strings and structs that the arguments point to
//
// Flags of an operation: may fail (continue if it returned one of its errnos), fork
// (a clone3 or clone after which the caller exits and the child continues), answer
// (send the answer before this operation), adopt (the result is the control
// descriptor from now on), spin (no system call: wait until the word at
// region offset args[0] is not zero), again (repeat the call while it returns
// EAGAIN, 131072 times at most).
//
// A batch detaches the stub: its first operation answers and closes the control
// socket, its second accepts, and adopts, the next driver's connection. The stub
// needs no code for that.
//
// # Batches
//
// The driver queues operations and sends them as one batch, or as several if
// they do not fit into one. Code that queues operations does not need to know
// how many operations a batch has, or how many bytes the region; it marks a
// group that must not be divided (Proc.Atomic).
//
// An operation that fails ends the batch. One that may fail names the errnos
// (Value.MayFail), or leaves its error to a function that is called when the
// batch is done (Value.Checked, Proc.Check). An error that no such function
// reads ends the batch too.
//
// # Trust
//
// After the stub has joined a container's namespaces, the region is untrusted
// input. The driver reads results (numbers) from it, and the bytes of output
// buffers at offsets that it chose itself. It never takes an offset, length or
// pointer from the region.
package stub
