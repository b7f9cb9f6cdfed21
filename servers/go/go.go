// go.go: a goroutine per connection: plain, synchronous code on Go's scheduler.
//
// How it waits: converse() reads like converse.c, by which thread.c serves. A read that finds
// nothing parks the goroutine; the runtime keeps all sockets in one epoll, edge-triggered, and
// --workers N threads (GOMAXPROCS) run whoever is ready, stealing from one another. What blocks in
// the kernel or in C keeps its thread, and the runtime goes on with another: a thread more for each
// such call.
//
// Cost: a goroutine a connection, its stack of 2 KiB, a socket of package net, 248 bytes of ours.
// Two system calls a request (read, write) and a share of one epoll_pwait while many are busy, a
// read in vain more where few are; two calls of C (bridge.h), 0.2 us of them all. No memory, so the
// collector rests.
//
// Notice: no function is marked, yet none blocks the others; the runtime's thread sysmon interrupts
// who runs longer than 10 ms. Before it reads, a goroutine lets the others have their turn: the
// runtime looks at sockets only when nobody is ready, so who parks waits until then, and who comes
// back later mostly finds the next request there. A goroutine that waits in Conn.Read() owns what
// it reads into; here it waits by RawConn.Read(), with an empty hand. Put it beside converse.c.
//
// Left out: noticing that a client is gone while its request waits; being short of memory.
// docs: pkg.go.dev, net and runtime; man: epoll(7).
package main

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const readersMax = 256

// client is a connection, its socket, and what was last set there.
type client struct {
	conn
	stream    *net.TCPConn
	raw       syscall.RawConn
	receive   func(fd uintptr) bool // tryReceive, made once: each making of it costs memory
	receiveBy uint32
	sendBy    uint32
}

// Everybody's: rooms to receive into, lent while there is something to receive; links to the
// database; places for those who wait for the disk, since each takes a thread.
var (
	rooms   = sync.Pool{New: func() any { return new([feedMax]byte) }}
	free    = newLinks()
	reading = make(chan struct{}, readersMax)
	data    *os.File
)

// Who is connected: needed only to stop.
var open = struct {
	sync.Mutex
	clients map[*client]struct{}
	sync.WaitGroup
}{clients: map[*client]struct{}{}}

// tryReceive receives and feeds; false when nothing is there: RawConn.Read() then waits, and tries
// again. So who waits owns no room.
func (c *client) tryReceive(fd uintptr) bool {
	room := rooms.Get().(*[feedMax]byte)
	defer rooms.Put(room)
	n, err := syscall.Read(int(fd), room[:])
	switch {
	case n > 0:
		c.fed(room[:n])
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return false
	default:
		c.failed(err)
	}
	return true
}

// converse does what the connection wants, in the order in which it wants it, until it wants to be
// closed.
func (c *client) converse() {
	for {
		switch c.wants() {
		case wantRecv:
			if by, left := c.deadline(); by != c.receiveBy {
				c.stream.SetReadDeadline(time.Now().Add(left))
				c.receiveBy = by
			}
			runtime.Gosched() // until the next request is there, or nobody else has anything to do
			if err := c.raw.Read(c.receive); err != nil {
				c.failed(err)
			}
		case wantSend:
			if by, left := c.deadline(); by != c.sendBy {
				c.stream.SetWriteDeadline(time.Now().Add(left))
				c.sendBy = by
			}
			n, err := c.stream.Write(c.bytes())
			if err != nil {
				return
			}
			c.sent(n)
		case wantSleep:
			time.Sleep(c.pause())
			c.woke()
		case wantCompute:
			c.compute()
		case wantFile:
			reading <- struct{}{}
			c.read(data)
			<-reading
		case wantQuery:
			link := <-free
			c.answered(link.get(c.bytes()))
			free <- link
		case wantShutdown:
			c.stream.CloseWrite()
			c.shut()
		case wantClose:
			return
		}
	}
}

func serveClient(c *client) {
	c.converse()
	open.Lock()
	delete(open.clients, c)
	open.Unlock()
	c.stream.Close()
	c.close()
	open.Done()
}

func add(stream *net.TCPConn) {
	c := &client{conn: openConn(), stream: stream}
	c.raw, _ = stream.SyscallConn() // fails only for a socket that is closed
	c.receive = c.tryReceive
	open.Lock()
	open.clients[c] = struct{}{}
	open.Unlock()
	open.Add(1)
	go serveClient(c)
}

// stop ends the receiving side of all: those without a request see end of file; then waits for the
// last.
func stop() {
	open.Lock()
	for c := range open.clients {
		c.stream.CloseRead()
	}
	open.Unlock()
	open.Wait()
}

func serve(s server) {
	runtime.GOMAXPROCS(s.workerCount)
	data = s.data
	for {
		stream, err := s.listener.AcceptTCP()
		if err == nil {
			add(stream)
		} else if pause, more := acceptFailed(err); more {
			time.Sleep(pause)
		} else {
			break
		}
	}
	stop()
}

func main() {
	run(model{
		name:    "go",
		api:     "goroutines, net.TCPConn, cgo to the core",
		summary: "a goroutine per connection parks in read; the runtime waits for all in one epoll",
		serve:   serve,
	})
}
