// core.go: the C core for goroutines (bridge.h), and the process around it. All that is unsafe is
// in this file.
//
// A connection lies in memory of C's, where Go's collector looks for nothing; Go holds its address,
// and what it waits for (step). What is received is lent to C for a call, what is to be sent, and
// room for what is read, is C's and lent to Go until the next call.
//
// The work of /compute is Go's own, step by step that of lib/core/service.c: while a goroutine is
// in C its thread is given up for lost, and another takes its place; in Go, the scheduler takes
// turns.
package main

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// What a connection waits for: enum conn_want of lib/core/conn.h.
const (
	wantRecv = iota
	wantSend
	wantSleep
	wantCompute
	wantFile
	wantQuery
	wantShutdown
	wantClose
)

// Why there is no value: enum conn_no_value.
const (
	noAnswer = iota
	noKey
)

const feedMax = 16 * 1024 // CONN_FEED_MAX

// --- connections ---------------------------------------------------------------------------------

// conn is a connection without I/O: struct conn, and what it waits for.
type conn struct {
	core *C.struct_conn
	step C.struct_step
}

func openConn() conn {
	core := C.bridge_open()
	return conn{core, C.bridge_wants(core)}
}

func (c *conn) close() {
	C.bridge_close(c.core)
}

func (c *conn) wants() uint32 {
	return uint32(c.step.want)
}

// deadline: a second, and how far it is away.
func (c *conn) deadline() (uint32, time.Duration) {
	return uint32(c.step.deadline_s), time.Duration(c.step.left_s) * time.Second
}

// bytes: the output, the room for a piece of the file, the key.
func (c *conn) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(c.step.bytes)), c.step.len)
}

func (c *conn) fed(bytes []byte) {
	at := unsafe.Pointer(&bytes[0]) // as an argument, &bytes[0] would cost memory at each call
	c.step = C.bridge_feed(c.core, at, C.uint32_t(len(bytes)))
}

// failed: the client's end, a broken socket, or a deadline that has passed.
func (c *conn) failed(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.step = C.bridge_expire(c.core)
	} else {
		c.step = C.bridge_feed_eof(c.core)
	}
}

func (c *conn) sent(len int) {
	c.step = C.bridge_sent(c.core, C.uint32_t(len))
}

func (c *conn) pause() time.Duration {
	return time.Duration(c.step.number)
}

func (c *conn) woke() {
	c.step = C.bridge_woke(c.core)
}

func (c *conn) compute() {
	const stepsAUnit = 300
	x := uint64(88172645463325252)
	for count := uint64(c.step.number) * stepsAUnit; count > 0; count-- {
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		x *= 2685821657736338717
	}
	c.step = C.bridge_computed(c.core, C.uint64_t(x))
}

func (c *conn) read(file *os.File) {
	n, err := file.ReadAt(c.bytes(), int64(c.step.number))
	if err != nil && err != io.EOF {
		n = -1
	}
	c.step = C.bridge_file_done(c.core, C.int64_t(n))
}

// answered: the value of the key, or errNoKey, or that nobody could say.
func (c *conn) answered(value []byte, err error) {
	var at *C.char
	len := len(value)
	switch err {
	case nil:
		at = (*C.char)(unsafe.Pointer(&value[:1][0])) // it may be empty, but has room
	case errNoKey:
		len = noKey
	default:
		len = noAnswer
	}
	c.step = C.bridge_query_done(c.core, at, C.uint64_t(len))
}

func (c *conn) shut() {
	c.step = C.bridge_shut(c.core)
}

// --- the process ---------------------------------------------------------------------------------

type model struct {
	name, api, summary string
	serve              func(server) // returns when the server has stopped and nobody is left
}

// server is what a model has to work with.
type server struct {
	listener    *net.TCPListener
	data        *os.File // --data, or nil
	workerCount int      // --workers
}

var running model

// run is main of a model: options, --describe, file limit, listening, SIGTERM are server_main()'s.
func run(m model) {
	running = m
	argv := make([]*C.char, 0, len(os.Args)+1)
	for _, argument := range os.Args {
		argv = append(argv, C.CString(argument))
	}
	argc := C.int(len(argv))
	argv = append(argv, nil)
	list := (**C.char)(C.malloc(C.size_t(len(argv)) * C.size_t(unsafe.Sizeof(argv[0]))))
	copy(unsafe.Slice(list, len(argv)), argv)
	// exit of C, which writes what printf() has left
	C.exit(C.bridge_main(argc, list, C.CString(m.name), C.CString(m.api), C.CString(m.summary)))
}

//export serveModel
func serveModel() {
	listening := os.NewFile(uintptr(C.bridge_listen_fd()), "listening socket")
	listener, err := net.FileListener(listening)
	if err != nil {
		panic(err) // a bug: the socket is C's, and listens
	}
	s := server{listener: listener.(*net.TCPListener), workerCount: int(C.bridge_worker_count())}
	if fd := C.bridge_data_fd(); fd >= 0 {
		s.data = os.NewFile(uintptr(fd), "data file")
	}
	done := make(chan struct{})
	go func() { // this goroutine is bound to the thread in which C waits
		running.serve(s)
		close(done)
	}()
	<-done
	listening.Close() // not before: it is C's, too
}

// acceptFailed: how long to wait before the next; false when the server stops.
func acceptFailed(err error) (time.Duration, bool) {
	var errno syscall.Errno
	errors.As(err, &errno)
	ms := C.bridge_accept_failed(C.int(errno))
	return time.Duration(ms) * time.Millisecond, ms >= 0
}

// dialDatabase: a new connection to the database; blocks for a second at most.
func dialDatabase() (net.Conn, error) {
	fd := C.bridge_database_dial()
	if fd < 0 {
		return nil, syscall.Errno(-fd)
	}
	file := os.NewFile(uintptr(fd), "database")
	defer file.Close()
	return net.FileConn(file) // of its own
}
