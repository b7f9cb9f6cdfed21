/*
 * null_server.c: a child process for each CPU that the load generator leaves free, each with one
 * level-triggered epoll loop (epoll(7)): accept, or receive and send. What is left out is all that
 * a server is for: parsing, a second kind of answer, partial sends (an answer of 140 bytes goes out
 * whole, or its connection is not worth keeping), deadlines. So hardly any server can ask less of a
 * machine, and the rate at which this one is asked is about the most a client can show of any.
 *
 * The processes listen on one port and the kernel spreads the connections over them (SO_REUSEPORT,
 * socket(7)).
 */
#include "null_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/slice.h"
#include "lib/sys/affinity.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/net.h"

enum { EVENTS_CAP = 1024, BUFFER_CAP = 16 * 1024, BACKLOG = 4096, FILES_APART = 16 };

static const struct slice answer = SLICE("HTTP/1.1 200 OK\r\n"
					 "Server: c10k/null\r\n"
					 "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
					 "Content-Type: text/plain\r\n"
					 "Content-Length: 13\r\n"
					 "\r\n"
					 "Hello, World!");

static void watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die_errno(errno, "the null server: epoll_ctl");
}

static void accept_all(int epoll_fd, int listen_fd)
{
	int fd;
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch(epoll_fd, fd);
}

static void answer_one(int fd)
{
	static char buffer[BUFFER_CAP];
	ssize_t got = recv(fd, buffer, sizeof buffer, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || send(fd, answer.ptr, answer.len, MSG_NOSIGNAL) != (ssize_t)answer.len)
		close(fd);
}

__attribute__((noreturn)) static void serve(int listen_fd)
{
	static struct epoll_event events[EVENTS_CAP];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		die_errno(errno, "the null server: epoll_create1");
	watch(epoll_fd, listen_fd);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS_CAP, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listen_fd)
				accept_all(epoll_fd, listen_fd);
			else
				answer_one(events[i].data.fd);
		}
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_storage address = { 0 };
	*(struct sockaddr_in *)&address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = net_listen(&address, sizeof(struct sockaddr_in), BACKLOG, true, true);
	if (fd < 0)
		die_errno(-fd, "the null server cannot listen on a port of 127.0.0.1");
	return fd;
}

static uint16_t port_of(int listen_fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t len = sizeof address;
	if (getsockname(listen_fd, (struct sockaddr *)&address, &len) < 0)
		die_errno(errno, "getsockname");
	return ntohs(address.sin_port);
}

static pid_t start_process(int listen_fd, int cpu)
{
	pid_t parent = getpid();
	pid_t child = fork();
	if (child < 0)
		die_errno(errno, "the null server needs a process");
	if (child > 0)
		return child;
	/* Ctrl-C is for the parent, who will end us; so does the kernel if it cannot */
	signal(SIGINT, SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	int error = affinity_pin(cpu);
	if (error)
		die_errno(-error, "the null server cannot run on CPU %d", cpu);
	file_limit_raise();
	serve(listen_fd);
}

void null_server_start(struct null_server *s, const int *cpus, int cpu_count,
    uint32_t connection_count)
{
	/* they are spread by chance: some room above the average */
	uint64_t most = file_limit_raise() / 10 * 9 - FILES_APART;
	uint64_t needed = (connection_count + most - 1) / most;
	uint64_t count = needed > (uint64_t)cpu_count ? needed : (uint64_t)cpu_count;
	if (count > NULL_SERVER_PROCESSES_MAX)
		die("%u connections need %llu processes of the null server, there can be %d",
		    connection_count, (unsigned long long)count, NULL_SERVER_PROCESSES_MAX);
	*s = (struct null_server){ 0 };
	for (; s->process_count < (int)count; s->process_count++) {
		int fd = listen_on(s->port);
		s->port = port_of(fd);
		s->processes[s->process_count] =
		    start_process(fd, cpus[s->process_count % cpu_count]);
		close(fd);
	}
}

/* Field 2 of schedstat in proc(5); 0 where there is none. */
uint64_t null_server_waited_ns(const struct null_server *s)
{
	uint64_t sum_ns = 0;
	for (int i = 0; i < s->process_count; i++) {
		char path[64];
		unsigned long long ran_ns, waited_ns;
		snprintf(path, sizeof path, "/proc/%d/schedstat", (int)s->processes[i]);
		FILE *file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%llu %llu", &ran_ns, &waited_ns) == 2)
			sum_ns += waited_ns;
		fclose(file);
	}
	return sum_ns;
}

void null_server_stop(struct null_server *s)
{
	for (int i = 0; i < s->process_count; i++) {
		kill(s->processes[i], SIGKILL);
		waitpid(s->processes[i], NULL, 0);
	}
	s->process_count = 0;
}
