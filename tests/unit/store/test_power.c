/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts: a store at work is recorded down to each write and sync of its files, then cut off at
 * many moments in several ways and opened again. Whatever was acknowledged by then is there, and
 * nothing is half there.
 *
 * GRANTD_POWER_SEEDS (1), GRANTD_POWER_CUTS (60 random moments per seed) and GRANTD_POWER_SYNCS (of
 * the syncs each how-manieth: 16) make it longer; GRANTD_POWER_SEED (1) is the first seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gate.h"
#include "nouns.h"
#include "power_cut.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/sql.h"

#define LINES	      24 /* installations at work at a time */
#define BATCHES	      320
#define UNBROKEN      200 /* of them without a restart: the log grows until it is moved */
#define RESTART_EVERY 24
#define DETAILS_MAX   2000
#define ID_LEN	      32
#define PATH_LEN      128

static STATEMENT EVENT_COUNT = { "SELECT count(*) FROM events" };
/* No effect without its event, no event without its effect. */
static STATEMENT HALF_COUNT = {
	"SELECT count(*) FROM families AS f LEFT JOIN (SELECT family_id,"
	" sum(kind = 'token.issued') AS issued, sum(kind = 'token.refreshed') AS refreshed,"
	" sum(kind = 'family.ended') AS ended FROM events GROUP BY family_id) AS e"
	" ON e.family_id = f.id WHERE f.generation - 1 IS NOT e.refreshed OR e.issued IS NOT 1"
	" OR (f.revoked_at IS NOT NULL) IS NOT e.ended"
};
static STATEMENT ORPHAN_COUNT = { "SELECT count(*) FROM events WHERE family_id IS NOT NULL AND"
				  " family_id NOT IN (SELECT id FROM families)" };
static STATEMENT RELAXED_COUNT = { "SELECT count(*) FROM facts WHERE name LIKE 'relaxed %'" };
static STATEMENT DAMAGE_COUNT = { "SELECT count(*) FROM pragma_integrity_check"
				  " WHERE integrity_check <> 'ok'" };

enum act { ISSUE, ROTATE, END };

static const char *const kinds[] = { "token.issued", "token.refreshed", "family.ended" };

/* One installation, as it was last acknowledged. */
struct line {
	char id[ID_LEN];
	struct family family;
	bool is_issued;
};

/* All that was acknowledged at a moment of the record. */
struct acknowledged {
	size_t moment;
	int64_t events;
	int64_t relaxed;	 /* which a later commit made durable */
	char ids[LINES][ID_LEN]; /* empty: none in this place */
	int64_t generations[LINES];
};

struct work {
	struct world *world;
	uint64_t seed;
	struct dice dice;
	char live[PATH_LEN], cut[PATH_LEN];
	struct line lines[LINES];
	int made; /* installations */
	int64_t events;
	struct acknowledged *acknowledged; /* [0]: the empty tables */
	size_t count;
	size_t restarts;
	int64_t relaxed, unsynced; /* writes that a power cut may take back; those without a sync */
};

struct job {
	struct world_task task;
	enum act act;
	struct line *line;
	struct family next;
	struct str event_id;
	struct str details;
};

static size_t from_environment(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number = otherwise;

	if (text != NULL)
		CHECK(str_to_u64(str_from_c(text), SIZE_MAX, &number));
	return number;
}

static struct str database_in(struct world *world, const char *directory)
{
	return STR_JOIN(&world->home.task.arena, STR("sqlite:"), str_from_c(directory),
			STR("/grantd.db"));
}

static enum err do_act(struct task *task, struct db *db, void *arg)
{
	const struct job *job = arg;
	const struct family *family = &job->line->family;
	struct event event = { .id = job->event_id,
			       .at = CHECK_NOW,
			       .kind = str_from_c(kinds[job->act]),
			       .actor = STR("agent"),
			       .family_id = family->id,
			       .details = job->details };
	bool is_now = true;

	if (job->act == ISSUE)
		TRY(family_insert(task, db, family));
	else if (job->act == ROTATE)
		TRY(family_rotate(task, db, &job->next, family->generation));
	else
		TRY(family_revoke(task, db, family->id, CHECK_NOW, STR("reused"), &is_now));
	return event_insert(task, db, &event);
}

static enum err done(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static enum err come_home(struct task *task, void *arg)
{
	(void)task;
	(void)arg;
	return ERR_PARKED;
}

static void choose_act(struct work *work, struct job *job, struct line *line)
{
	static char text[DETAILS_MAX];
	struct arena *arena = &job->task.task.arena;

	job->line = line;
	job->act = !line->is_issued ? ISSUE : dice_below(&work->dice, 30) == 0 ? END : ROTATE;
	if (job->act == ISSUE) {
		snprintf(line->id, sizeof(line->id), "fam_%026d", ++work->made);
		line->family = alice_family;
		line->family.id = str_from_c(line->id);
	}
	job->next = line->family;
	rotation_advance(&job->next, CHECK_NOW);
	memset(text, 'x', sizeof(text));
	job->event_id = str_printf(arena, "evt_%026lld", (long long)++work->events);
	job->details = (struct str){ text, dice_below(&work->dice, sizeof(text)) };
}

static void submit(struct work *work, struct job *job, struct line *line)
{
	world_task_begin(work->world, &job->task);
	choose_act(work, job, line);
	CHECK_ERR(store_submit(&job->task.task, work->world->store, do_act, job, done), ERR_PARKED);
}

static void note_line(struct job *job)
{
	CHECK_ERR(world_run(&job->task, come_home, NULL), OK);
	job->line->is_issued = job->act != END;
	if (job->act == ROTATE)
		job->line->family = job->next;
	world_task_end(&job->task);
}

static void note_acknowledged(struct work *work)
{
	struct acknowledged *now = &work->acknowledged[work->count++];

	now->moment = recorder_length();
	now->events = work->events;
	now->relaxed = work->relaxed;
	for (int i = 0; i < LINES; i++) {
		const struct line *line = &work->lines[i];

		if (!line->is_issued)
			continue;
		memcpy(now->ids[i], line->id, ID_LEN);
		now->generations[i] = line->family.generation;
	}
}

/* Behind a gate, so that they share one transaction, the same ones for the same seed. */
static void do_batch(struct work *work)
{
	struct job jobs[LINES];
	struct gate gate = GATE_INIT;
	struct world_task first;
	size_t begin = dice_below(&work->dice, LINES);
	size_t count = 1 + dice_below(&work->dice, LINES);

	world_task_begin(work->world, &first);
	CHECK_ERR(store_submit(&first.task, work->world->store, gate_stand, &gate, done),
		  ERR_PARKED);
	gate_wait(&gate);
	for (size_t i = 0; i < count; i++)
		submit(work, &jobs[i], &work->lines[(begin + i) % LINES]);
	gate_open(&gate);
	CHECK_ERR(world_run(&first, come_home, NULL), OK);
	world_task_end(&first);
	for (size_t i = 0; i < count; i++)
		note_line(&jobs[i]);
	note_acknowledged(work);
}

static enum err set_relaxed(struct task *task, struct db *db, void *arg)
{
	struct work *work = arg;

	return fact_set(task, db,
			str_printf(&task->arena, "relaxed %lld", (long long)work->relaxed),
			STR("perhaps"));
}

/* The log is synced all the same when it begins anew, and when it is moved. */
static void do_relaxed(struct work *work)
{
	size_t at = recorder_length(), syncs = 0;

	CHECK_ERR(world_write_relaxed(work->world, set_relaxed, work), OK);
	for (; at < recorder_length(); at++)
		syncs += recorder_entries()[at].kind == SYNCED;
	work->relaxed++;
	work->unsynced += syncs == 0;
}

static void open_store(struct work *work)
{
	struct store_config config = world_config(work->world);
	int from = 0, to = 0;

	CHECK_ERR(store_migrate(world_task(work->world), &config, &from, &to), OK);
	CHECK_ERR(store_open(world_task(work->world), &config, &work->world->store), OK);
}

static void do_work(struct work *work)
{
	struct world *world = work->world;

	store_free(&world->store);
	world->database = database_in(world, work->live);
	recorder_start(work->live, work->seed);
	open_store(work);
	nouns_insert(world);
	note_acknowledged(work);
	for (int i = 0; i < BATCHES; i++) {
		do_batch(work);
		if (i % 3 == 0)
			do_relaxed(work);
		if (i < UNBROKEN || i % RESTART_EVERY != 0)
			continue;
		store_free(&world->store);
		open_store(work);
		work->restarts++;
	}
	store_free(&world->store);
	recorder_stop();
}

struct moment {
	size_t at;
	enum cut cut;
};

#define CHECK_CUT(condition, work, moment)                                                         \
	CHECK_ROW(condition, "seed %llu, cut at %zu, %s: %s\n", (unsigned long long)(work)->seed,  \
		  (moment).at, cut_names[(moment).cut], #condition)

static int64_t count_of(struct work *work, struct db *db, const struct sql *sql)
{
	int64_t count = -1;

	CHECK_ERR(sql_one_int(world_task(work->world), db, sql, NO_ARGS, &count), OK);
	return count;
}

/* Those that were acknowledged, or these and the batch that was under way. */
static const struct acknowledged *find_state(struct work *work, struct moment moment,
					     int64_t events)
{
	size_t last = 0;

	while (last + 1 < work->count && work->acknowledged[last + 1].moment <= moment.at)
		last++;
	if (work->acknowledged[last].events == events)
		return &work->acknowledged[last];
	CHECK_CUT(last + 1 < work->count, work, moment);
	CHECK_CUT(work->acknowledged[last + 1].events == events, work, moment);
	return &work->acknowledged[last + 1];
}

static void check_lines(struct work *work, struct db *db, struct moment moment,
			const struct acknowledged *state)
{
	for (int i = 0; i < LINES; i++) {
		struct family family = { 0 };

		if (state->ids[i][0] == '\0')
			continue;
		CHECK_CUT(family_find(world_task(work->world), db, str_from_c(state->ids[i]),
				      &family) == OK,
			  work, moment);
		CHECK_CUT(family.generation == state->generations[i], work, moment);
		CHECK_CUT(family.revoked_at == 0, work, moment);
	}
}

static enum err set_fact(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return fact_set(task, db, STR("goes on"), STR("yes"));
}

static void check_store(struct work *work, struct store *store, struct moment moment)
{
	struct task *task = world_task(work->world);
	const struct acknowledged *state;
	struct db *db = NULL;

	CHECK_ERR(store_reader(task, store, &db), OK);
	CHECK_CUT(count_of(work, db, &DAMAGE_COUNT) == 0, work, moment);
	CHECK_CUT(count_of(work, db, &ORPHAN_COUNT) == 0, work, moment);
	if (moment.at >= work->acknowledged[0].moment) {
		/* alice_family has no event: it alone is not whole */
		CHECK_CUT(count_of(work, db, &HALF_COUNT) == 1, work, moment);
		state = find_state(work, moment, count_of(work, db, &EVENT_COUNT));
		check_lines(work, db, moment, state);
		CHECK_CUT(count_of(work, db, &RELAXED_COUNT) >= state->relaxed, work, moment);
	}
	CHECK_CUT(store_write(task, store, set_fact, NULL) == OK, work, moment);
}

static void check_cut(struct work *work, struct moment moment)
{
	struct store_config config = world_config(work->world);
	struct store *store = NULL;
	int from = 0, to = 0;
	struct task *task = world_task(work->world);

	cut_restore(moment.at, moment.cut, &work->dice, work->cut);
	config.database = database_in(work->world, work->cut);
	/* before the first acknowledgement init had not ended, and is run again */
	if (moment.at < work->acknowledged[0].moment)
		CHECK_CUT(store_migrate(task, &config, &from, &to) == OK, work, moment);
	CHECK_CUT(store_open(task, &config, &store) == OK, work, moment);
	check_store(work, store, moment);
	store_free(&store);
}

static size_t count_moves(void)
{
	size_t count = 0;

	for (size_t i = 0; i < recorder_length(); i++)
		count += recorder_entries()[i].kind == SYNCED &&
			 recorder_entries()[i].name == DATABASE;
	return count;
}

static size_t check_syncs(struct work *work, size_t each)
{
	size_t syncs = 0, checked = 0;

	for (size_t at = 1; at <= recorder_length(); at++) {
		if (!cut_is_at_sync(at) || syncs++ % each != 0)
			continue;
		/* as it was just before, and just after */
		check_cut(work, (struct moment){ at - 1, CUT_TORN });
		check_cut(work, (struct moment){ at, CUT_DROPPED });
		checked++;
	}
	return checked;
}

static void begin_work(struct work *work, uint64_t seed)
{
	*work = (struct work){ .world = test_calloc(1, sizeof(struct world)),
			       .seed = seed,
			       .dice = { .state = seed } };
	world_open(work->world);
	work->acknowledged = test_calloc(BATCHES + 1, sizeof(*work->acknowledged));
	snprintf(work->live, sizeof(work->live), "%.*s/live", STR_FMT(work->world->dir));
	snprintf(work->cut, sizeof(work->cut), "%.*s/cut", STR_FMT(work->world->dir));
	CHECK(mkdir(work->live, 0700) == 0 && mkdir(work->cut, 0700) == 0);
}

static void end_work(struct work *work)
{
	recorder_free();
	world_close(work->world);
	test_free(work->world);
	test_free(work->acknowledged);
}

static void check_seed(uint64_t seed, size_t cuts, size_t each_sync)
{
	struct work work;
	size_t syncs;

	begin_work(&work, seed);
	do_work(&work);
	/* beside set-up and restarts also by the writer itself, between batches */
	CHECK(count_moves() > work.restarts + 2);
	CHECK(work.unsynced * 10 > work.relaxed * 9);
	syncs = check_syncs(&work, each_sync);
	for (size_t i = 0; i < cuts; i++)
		check_cut(&work, (struct moment){ dice_below(&work.dice, recorder_length() + 1),
						  (enum cut)(i % CUTS) });
	print_message("# seed %llu: %lld changes in %d commits, %zu restarts, %zu syncs of the "
		      "database, %zu things done to the disk;",
		      (unsigned long long)seed, (long long)work.events, BATCHES, work.restarts,
		      count_moves(), recorder_length());
	print_message(" cut at %zu syncs and %zu other moments\n", syncs, cuts);
	end_work(&work);
}

static void a_power_cut_loses_nothing_acknowledged_and_leaves_nothing_half(void **state)
{
	size_t first = from_environment("GRANTD_POWER_SEED", 1);
	size_t seeds = from_environment("GRANTD_POWER_SEEDS", 1);

	(void)state;
	for (size_t seed = first; seed < first + seeds; seed++)
		check_seed(seed, from_environment("GRANTD_POWER_CUTS", 60),
			   from_environment("GRANTD_POWER_SYNCS", 16));
}

int main(void)
{
	return RUN(
		cmocka_unit_test(a_power_cut_loses_nothing_acknowledged_and_leaves_nothing_half));
}
