// links.go: the database as a goroutine asks it: a pool of links to Redis, one question at a time
// on each, as those who may block have it in C (lib/sys/database_pool.c). Who finds none free waits
// for one.
package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

const (
	linkCount = 16
	answerMax = 5 * time.Second
)

// link is a connection to the database, or a place for one.
type link struct {
	socket   net.Conn // nil while there is none
	answers  *bufio.Reader
	question []byte
	value    []byte // of the answer last read
}

type links chan *link

func newLinks() links {
	free := make(links, linkCount)
	for i := 0; i < linkCount; i++ {
		free <- &link{answers: bufio.NewReader(nil)}
	}
	return free
}

func (l *link) hangUp() {
	l.socket.Close()
	l.socket = nil
}

// get asks for a key. The value stays where it is until the next question.
func (l *link) get(key []byte) ([]byte, error) {
	for {
		wasThere := l.socket != nil
		if !wasThere {
			socket, err := dialDatabase()
			if err != nil {
				return nil, err
			}
			l.socket = socket
			l.answers.Reset(socket)
		}
		value, err := l.ask(key)
		if err == nil || err == errNoKey || err == errRefused {
			return value, err
		}
		l.hangUp()
		if !wasThere || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		// it was cut while it lay idle; perhaps the database is back: a new link tells
	}
}

var (
	errNoKey   = errors.New("no such key")
	errRefused = errors.New("an error of Redis's own")
	errForeign = errors.New("no answer of Redis to GET")
)

// ask: one question and its answer, in Redis's protocol (RESP).
func (l *link) ask(key []byte) ([]byte, error) {
	l.question = append(l.question[:0], "*2\r\n$3\r\nGET\r\n$"...)
	l.question = strconv.AppendInt(l.question, int64(len(key)), 10)
	l.question = append(l.question, "\r\n"...)
	l.question = append(l.question, key...)
	l.question = append(l.question, "\r\n"...)
	l.socket.SetDeadline(time.Now().Add(answerMax))
	if _, err := l.socket.Write(l.question); err != nil {
		return nil, err
	}
	line, err := l.answers.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if line[0] == '-' {
		return nil, errRefused
	}
	if string(line) == "$-1\r\n" {
		return nil, errNoKey
	}
	if len(line) < 4 || len(line) > 12 || line[0] != '$' {
		return nil, errForeign
	}
	n := 0
	for _, digit := range line[1 : len(line)-2] { // strconv's way would cost memory
		if digit < '0' || digit > '9' {
			return nil, errForeign
		}
		n = n*10 + int(digit-'0')
	}
	if cap(l.value) < n+2 {
		l.value = make([]byte, n+2)
	}
	_, err = io.ReadFull(l.answers, l.value[:n+2]) // and the end of its line
	return l.value[:n], err
}
