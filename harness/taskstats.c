/*
 * taskstats.c: see taskstats.h. One socket for the life of the program; a question and its answer
 * are one datagram each. The kernel's record may be longer or shorter than the one we were compiled
 * with: fields are only ever added at its end.
 */
#include "harness/taskstats.h"

#include <linux/taskstats.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <string.h>

static int on_answer(struct nl_msg *message, void *argument)
{
	struct nlattr *outer[TASKSTATS_TYPE_MAX + 1], *inner[TASKSTATS_TYPE_MAX + 1];
	struct taskstats *stats = argument;
	if (genlmsg_parse(nlmsg_hdr(message), 0, outer, TASKSTATS_TYPE_MAX, NULL) != 0 ||
	    !outer[TASKSTATS_TYPE_AGGR_TGID] ||
	    nla_parse_nested(inner, TASKSTATS_TYPE_MAX, outer[TASKSTATS_TYPE_AGGR_TGID], NULL) !=
		0 ||
	    !inner[TASKSTATS_TYPE_STATS])
		return NL_SKIP;
	nla_memcpy(stats, inner[TASKSTATS_TYPE_STATS], sizeof(*stats));
	return NL_OK;
}

/* The socket; NULL, from the first try on, where there is none to be had. */
static struct nl_sock *open_socket(int *family)
{
	static struct nl_sock *socket;
	static int known_family = -1;
	static bool tried;
	if (!tried) {
		tried = true;
		socket = nl_socket_alloc();
		if (socket && genl_connect(socket) == 0)
			known_family = genl_ctrl_resolve(socket, TASKSTATS_GENL_NAME);
		if (socket)
			nl_socket_disable_auto_ack(
			    socket); /* else one would lie before the next answer */
	}
	*family = known_family;
	return known_family >= 0 ? socket : NULL;
}

bool taskstats_read(pid_t pid, struct task_sums *sums)
{
	int family;
	struct taskstats stats = { 0 };
	struct nl_sock *socket = open_socket(&family);
	struct nl_msg *message = socket ? nlmsg_alloc() : NULL;
	if (!message)
		return false;
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &stats);
	bool sent =
	    genlmsg_put(message, 0, 0, family, 0, 0, TASKSTATS_CMD_GET, TASKSTATS_GENL_VERSION) &&
	    nla_put_u32(message, TASKSTATS_CMD_ATTR_TGID, (uint32_t)pid) == 0 &&
	    nl_send_auto(socket, message) >= 0;
	nlmsg_free(message);
	if (!sent || nl_recvmsgs_default(socket) != 0 || stats.version == 0)
		return false;
	*sums = (struct task_sums){
		.voluntary = stats.nvcsw,
		.involuntary = stats.nivcsw,
		.cpu_ns = stats.cpu_run_virtual_total,
		.wait_ns = stats.cpu_delay_total,
		.user_us = stats.ac_utime,
		.system_us = stats.ac_stime,
	};
	return true;
}
