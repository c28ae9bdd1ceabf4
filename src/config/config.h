/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator wrote: grantd.conf (INI by libinih), GRANTD_* variables over it, *_FILE for
 * secrets, and the resource files. The caller (main.c) hands in the environment; nothing here reads
 * it. A loaded configuration never changes; a reload makes a new one and swaps the pointer
 * (config_live).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "config/resource.h"

struct task;

/* More are refused; the server has room for as many (grantd/routes.c). */
#define CONFIG_LOOPS_MAX 64

/* Who may register an agent over HTTP (RFC 7591). */
enum registration_policy { REGISTRATION_OFF, REGISTRATION_OPEN, REGISTRATION_TOKEN };

/* Whose agents may ask from a device without a browser (RFC 8628). */
enum device_flow { DEVICE_FLOW_OFF, DEVICE_FLOW_ON, DEVICE_FLOW_OPEN };

struct config {
	struct str dir;		   /* DIR */
	struct str issuer;	   /* "https://grantd.localhost:8443", byte-identical everywhere */
	struct str issuer_host;	   /* "grantd.localhost:8443" */
	bool shared_loopback_host; /* the operator accepts an issuer whose host agents can listen on
				    */
	struct str listen;	   /* "127.0.0.1:8443" or "unix:PATH" */
	bool plain; /* the public listener is plain HTTP behind a TLS terminator (loopback or unix
		       only) */
	const struct str *trusted_proxies;
	size_t trusted_proxy_count;
	struct str ops_listen;	      /* "127.0.0.1:8444"; health and figures; empty: off */
	struct str tls_cert, tls_key; /* files */
	struct str database;	      /* as store_config wants it */
	struct str
		database_url_file; /* where database was read from; empty: it stood in the file */
	unsigned database_pool;
	unsigned database_queue;
	struct str root_key_file;
	struct str admin_socket;
	struct str admin_group;	  /* empty: only our own user and root */
	struct str share_dir;	  /* pages, static, locales */
	struct str extra_ca_file; /* for calls out, beside the system's; empty: none */
	struct str backup_dir;	  /* where backups may be written */
	bool sandbox;		  /* walls around the process that faces the network */
	unsigned loops;		  /* 0: one per core */
	enum { CONFIG_LOG_DEBUG, CONFIG_LOG_INFO, CONFIG_LOG_WARNING, CONFIG_LOG_ERROR } log_level;

	/* who asks the person for consent, shown on the pages */
	struct str controller_name;
	struct str controller_contact; /* mail address or URL */
	struct str privacy_url;
	struct str support_url;

	enum registration_policy registration;
	int64_t registration_unused_ms; /* one that nobody uses so long is removed */
	unsigned registrations_max;	/* so many may be unused at a time */

	enum device_flow device_flow;

	int64_t access_token_ms;      /* 300 s; a resource may say less or more, up to 900 s */
	bool require_dpop_nonce;      /* a DPoP proof must sign a nonce of ours */
	bool require_pushed_requests; /* of every client (RFC 9126 5) */
	int64_t refresh_idle_ms;      /* a family unused that long is over; 30 days */
	int64_t grant_max_ms;	      /* the longest a person may grant; 0: until revoked */
	unsigned signing_key_days;    /* a key that has signed so long is replaced; 0: never */
	int64_t signing_key_lead_ms;  /* published before it signs */
	int64_t keep_events_ms;	      /* how long what is over is kept: events, */
	int64_t keep_ended_ms;	      /* grants and installations, */
	int64_t keep_sessions_ms;     /* sign-ins */
	const struct str
		*redirect_schemes; /* private-use schemes without a dot that may be registered */
	size_t redirect_scheme_count;

	/* clients by metadata document */
	bool client_metadata;			 /* off: only those that are pinned */
	const struct str *client_metadata_allow; /* domains; none: all */
	size_t client_metadata_allow_count;
	const struct str *client_metadata_deny;
	size_t client_metadata_deny_count;
	bool client_metadata_loopback; /* for tests: also at addresses of this machine */

	const struct resource *resources;
	size_t resource_count;
};

#define CONFIG_PROBLEMS_MAX 64

/* Everything that is wrong, not only the first: for `grantd check`. */
struct config_problems {
	struct str texts[CONFIG_PROBLEMS_MAX]; /* in the memory of the task that loaded */
	/* which setting each is about, for config_is_wrong; NULL: none, or a resource */
	const char *settings[CONFIG_PROBLEMS_MAX];
	size_t count;
};

/* True if one of them is about that setting: then nothing more can be said by its value. */
bool config_is_wrong(const struct config_problems *problems, const char *setting);

struct config_source {
	struct str dir;
	digest_fn *digest; /* crypto/digest.h's sha256, for secrets of resource servers */
	struct config_problems *problems; /* NULL: the first is enough */
	const char *const
		*environment; /* "NAME=value", NULL-terminated; only GRANTD_* are looked at */
};

/*
 * Reads and checks everything. ERR_CONFIG: file, line where known, what is wrong and what to write
 * instead. The configuration owns its memory.
 */
MUST_CHECK enum err config_load(struct task *task, const struct config_source *source,
				const struct config **ret_config);
/*
 * The same for looking on when something is wrong, never to serve from: answers what there is, with
 * source->problems filled. ERR_CONFIG only when there is no directory.
 */
MUST_CHECK enum err config_inspect(struct task *task, const struct config_source *source,
				   const struct config **ret_config);
void config_free(const struct config **config);

/* The text of a new grantd.conf, each setting explained; init writes it. */
MUST_CHECK enum err config_template(struct task *task, struct str issuer, struct str database,
				    bool shared_loopback_host, struct str *ret_text);
/*
 * ERR_CONFIG unless https, no path, query, fragment, userinfo or trailing slash; `localhost` and IP
 * addresses only with shared_loopback_host (cookies know no ports: an agent could listen beside us
 * and be sent them).
 */
MUST_CHECK enum err config_check_issuer(struct task *task, struct str issuer,
					bool shared_loopback_host);

/* ERR_CONFIG unless sqlite:PATH or a postgresql:// URL without a password. */
MUST_CHECK enum err config_check_database(struct task *task, struct str database);

/* By canonical URI, or by name. NULL when there is none. */
const struct resource *config_find_resource(const struct config *config, struct str uri);
const struct resource *config_find_resource_named(const struct config *config, struct str name);

/* The configuration in force; readers take it once per task. A replaced one lives until
 * config_live_free. */
struct config_live;
struct config_live *config_live_new(const struct config *config);
const struct config *config_current(struct config_live *live);
void config_live_swap(struct config_live *live, const struct config *config);
void config_live_free(struct config_live **live);
