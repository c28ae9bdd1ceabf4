/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "grantctl/ctl.h"

#define LINE_MAX_BYTES 4096

/* Byte by byte, so that what stands behind the line stays for others. */
static enum err read_line(struct task *task, int fd, struct secret *ret_line)
{
	char line[LINE_MAX_BYTES];
	size_t len = 0;
	ssize_t got = 0;

	while (len < sizeof(line)) {
		got = read(fd, line + len, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || line[len] == '\n')
			break;
		len++;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len > 0 && len < sizeof(line))
		secret_set(ret_line, line, len);
	explicit_bzero(line, sizeof(line));
	if (len == 0 || len == sizeof(line))
		return fail(task, ERR_REQUEST, "the secret is missing or too long: give one line");
	if (!str_is_text(secret_reveal(ret_line)))
		return fail(task, ERR_REQUEST, "the secret is not UTF-8 text");
	return OK;
}

enum err read_secret_line(struct task *task, struct secret *ret_secret)
{
	return read_line(task, STDIN_FILENO, ret_secret);
}

static void say(int fd, const char *text)
{
	ssize_t written = write(fd, text, strlen(text));

	(void)written;
}

/* Waits until something was typed; false when a signal is to end us first. */
static bool wait_for_line(int terminal, int signals)
{
	struct pollfd polled[] = { { terminal, POLLIN, 0 }, { signals, POLLIN, 0 } };

	while (poll(polled, COUNT_OF(polled), -1) < 0 && errno == EINTR)
		;
	return polled[1].revents == 0;
}

/* Without echo; the caller holds back the signals that would leave the terminal like that. */
static enum err ask_silently(struct task *task, int terminal, int signals, const char *prompt,
			     struct secret *ret_line)
{
	struct termios usual, silent;
	enum err err = ERR_DENIED;

	if (tcgetattr(terminal, &usual) != 0)
		return fail(task, ERR_REQUEST,
			    "the terminal cannot be asked; use --password-stdin");
	silent = usual;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	say(terminal, prompt);
	tcsetattr(terminal, TCSAFLUSH, &silent);
	if (wait_for_line(terminal, signals))
		err = read_line(task, terminal, ret_line);
	else
		task_note(task, err, STR("stopped"));
	tcsetattr(terminal, TCSAFLUSH, &usual);
	say(terminal, "\n");
	return err;
}

static enum err ask(struct task *task, int terminal, const char *prompt, struct secret *ret_line)
{
	static const int fatal[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	sigset_t held, before;
	enum err err;
	int signals;

	sigemptyset(&held);
	for (size_t i = 0; i < COUNT_OF(fatal); i++)
		sigaddset(&held, fatal[i]);
	sigprocmask(SIG_BLOCK, &held, &before);
	signals = signalfd(-1, &held, SFD_CLOEXEC);
	err = ask_silently(task, terminal, signals, prompt, ret_line);
	if (signals >= 0)
		close(signals);
	/* what was held back does now what it always does */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

enum err ask_password(struct task *task, const struct words *words, struct secret *ret_secret)
{
	CLEANUP(secret_wipe) struct secret again = { 0 };
	int terminal;
	enum err err;

	if (words->is_given[OPTION_PASSWORD_STDIN])
		return read_secret_line(task, ret_secret);
	if (!isatty(STDIN_FILENO))
		return OK;
	terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (terminal < 0)
		return OK;
	err = ask(task, terminal, "Password: ", ret_secret);
	if (err == OK)
		err = ask(task, terminal, "Again: ", &again);
	close(terminal);
	TRY(err);
	if (!secret_equals(secret_reveal(ret_secret), secret_reveal(&again)))
		return fail(task, ERR_REQUEST, "the two are not the same");
	return OK;
}
