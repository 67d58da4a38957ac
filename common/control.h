/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages between core and its clients (CLI on control.sock, web on its two inherited sockets).
 * One request per datagram; the answer is any number of item messages, many in a datagram (chan.h),
 * then END or ERROR. A client sends its next request only after END or ERROR. Rights come from the
 * socket: the web's takes WEB_* requests only, and nobody else may ask these.
 *
 * This file is the protocol's documentation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/host.h"
#include "common/inet6.h"
#include "common/key.h"
#include "common/name.h"
#include "common/preset.h"
#include "common/service.h"
#include "common/web.h"
#include "common/when.h"
#include "common/wire.h"

#define CONTROL_HOST_BYTES   256  /* endpoint: DNS name (RFC 1035: 253) or address, with port */
#define CONTROL_CONFIG_BYTES 1024 /* a phone's config; 344 bytes is typical */
#define CONTROL_IFNAME_BYTES 16	  /* IFNAMSIZ */

enum control_type {
	/* requests */
	CTL_STATUS = 1,	     /* empty → GATEWAY, PRINTER…, (PEER, GRANT…)…, END */
	CTL_PEERS,	     /* empty → (PEER, GRANT…)…, END */
	CTL_PEER_SHOW,	     /* control_named → PEER, GRANT…, END */
	CTL_PRINTERS,	     /* empty → PRINTER…, END */
	CTL_PRINTER_ADD,     /* control_printer_add → PRINTER, END */
	CTL_PRINTER_REMOVE,  /* control_named → PRINTER (as it was), END */
	CTL_ENROLL,	     /* control_enroll → PEER, GRANT…, CONFIG, END */
	CTL_QR,		     /* control_named → PEER, GRANT…, CONFIG, END */
	CTL_REKEY,	     /* control_rekey → PEER, GRANT…, CONFIG, END */
	CTL_RENAME,	     /* control_rename → PEER, GRANT…, END */
	CTL_ALLOW,	     /* control_allow → PEER, GRANT…, END */
	CTL_DENY,	     /* control_allow (end ignored) → PEER, GRANT…, END */
	CTL_DISABLE,	     /* control_named → PEER, GRANT…, END */
	CTL_ENABLE,	     /* control_named → PEER, GRANT…, END */
	CTL_REVOKE,	     /* control_named → PEER (as it was), GRANT…, END */
	CTL_LOG,	     /* control_log → EVENT… (newest first), END */
	CTL_LOCK,	     /* control_lock → GATEWAY, END */
	CTL_UNLOCK,	     /* empty → GATEWAY, END */
	CTL_DOCTOR,	     /* empty → CHECK…, END */
	CTL_PRINTER_CONFIRM, /* control_named → PRINTER, END; what its name leads to now is it */
	CTL_PAGE,	     /* empty → PAGE_INFO, END */
	CTL_PAGE_PASSWORD,   /* control_page_password → PAGE_INFO, END; all sessions end */
	CTL_PAGE_TOKEN,	     /* empty → PAGE_INFO, PAGE_SECRET, END; the old token ends */
	/* A whole file of printers and peers in one transaction: BEGIN, each of them, COMMIT, on one
	 * connection. What was begun is forgotten with it. */
	CTL_PROVISION_BEGIN,   /* control_provision → PROVISION_BEGUN, END */
	CTL_PROVISION_PRINTER, /* control_printer_add → END */
	CTL_PROVISION_PEER,    /* control_provision_peer → END */
	CTL_PROVISION_COMMIT,  /* empty → PRINTER…, (PEER, GRANT…)…, END */
	CTL_PROVISION_CODES, /* empty → PROVISION_CODE…, END: whose QR code is to be shown still */
	CTL_PROVISION_DONE, /* control_named → END: not this one's any more; what was shown of one
				* that has never connected is worth nothing from now on */
	/* control_web_look → GATEWAY, COUNTS, WEB_OWNER…, [WEB_FINDINGS,] PRINTER…,
	 * (PEER, GRANT…)…, END. With a valid owner: everything, peers in the order of the store.
	 * Without: each known viewer's PEER and GRANTs, and the PRINTERs granted to any of them, with
	 * the VPN address for an address. */
	CTL_WEB_LOOK = 64,
	CTL_WEB_LOGIN,	/* control_web_login → WEB_SESSION, END */
	CTL_WEB_LOGOUT, /* control_web_logout → END */
	/* items of answers */
	CTL_ERROR = 128,     /* control_error; ends the answer */
	CTL_END,	     /* empty; ends the answer */
	CTL_GATEWAY,	     /* control_gateway */
	CTL_PRINTER,	     /* control_printer */
	CTL_PEER,	     /* control_peer; the GRANTs that follow are its */
	CTL_GRANT,	     /* control_grant */
	CTL_CONFIG,	     /* control_config */
	CTL_EVENT,	     /* control_event */
	CTL_COUNTS,	     /* control_counts */
	CTL_CHECK,	     /* control_check */
	CTL_WEB_OWNER,	     /* control_web_owner */
	CTL_WEB_FINDINGS,    /* control_web_findings */
	CTL_WEB_SESSION,     /* control_web_session */
	CTL_PAGE_INFO,	     /* control_page_info */
	CTL_PAGE_SECRET,     /* control_page_secret */
	CTL_PROVISION_BEGUN, /* control_provision_begun */
	CTL_PROVISION_CODE,  /* control_provision_code */
};

/* Does a printer answer, as far as is known? Looked after only while somebody looks. */
enum reach { REACH_UNKNOWN = 0, REACH_ANSWERS = 1, REACH_SILENT = 2 };

/* Of a printer that was given by name. As `printer list --json` names them. */
enum printer_state {
	PRINTER_OPEN = 0,
	PRINTER_MOVED = 1, /* closed: what has its name or address now is not known to be it */
};

enum printer_kind { PRINTER_HOST = 0, PRINTER_SUBNET = 1, PRINTER_SELF = 2 };

/* As `list --json` names them, in this order. */
enum peer_state {
	PEER_WAITING = 0, /* never connected */
	PEER_ONLINE = 1,  /* handshake under PEER_ONLINE_SECONDS old */
	PEER_OFFLINE = 2,
	PEER_DISABLED = 3,
	PEER_EXPIRED = 4,
};

#define PEER_ONLINE_SECONDS 180 /* REJECT_AFTER_TIME, WireGuard paper, 6.1 */

struct control_named {
	struct name name;
};

struct control_printer_add {
	struct name name;
	uint8_t kind;			/* enum printer_kind */
	struct prefix4 address;		/* 0.0.0.0/0 for PRINTER_SELF */
	char preset[PRESET_NAME_BYTES]; /* "" for none; kept for display */
	struct services services;	/* never empty */
	struct host host;		/* "" for none; with one, PRINTER_HOST and 0.0.0.0/32 */
};

struct control_enroll {
	struct name name;
	bool all_printers;
	bool has_public_key;	  /* then no private key is made: the config has no such line */
	struct wg_key public_key; /* zero unless has_public_key */
	int64_t expires_at;	  /* struct when */
	uint32_t expires_after;
	struct wire_names printers;
};

struct control_rekey {
	struct name name;
	bool has_public_key;
	struct wg_key public_key;
};

struct control_rename {
	struct name name;
	struct name to;
};

struct control_allow {
	struct name peer;
	struct name printer;
	int64_t expires_at;
	uint32_t expires_after;
};

struct control_log {
	struct name peer; /* "" for all */
	uint32_t limit;	  /* 1..10000 */
};

#define CONTROL_REASON_BYTES 256 /* why it was locked, with its NUL */

struct control_lock {
	char reason[CONTROL_REASON_BYTES]; /* may be "" */
};

struct control_error {
	int32_t code; /* enum err, never 0 */
	char text[DIAG_TEXT_BYTES];
};

#define CONTROL_CODE_BYTES 16 /* "ABCD-2345" */

struct control_gateway {
	char interface[CONTROL_IFNAME_BYTES];
	char backend[CONTROL_IFNAME_BYTES]; /* "kernel" or "userspace" */
	struct wg_key public_key;
	uint16_t listen_port;
	char endpoint[CONTROL_HOST_BYTES]; /* as configured, with port; "" if none */
	struct prefix4 tunnel;
	struct prefix6 tunnel6; /* none: no IPv6 in the tunnel */
	bool locked;
	char lock_reason[CONTROL_REASON_BYTES];	 /* "" if none was given; never told to the page */
	uint64_t uptime;			 /* seconds since printgated started */
	char provision_code[CONTROL_CODE_BYTES]; /* see control_provision; never told to the page */
};

struct control_printer {
	struct name name;
	uint8_t kind;
	struct prefix4 address; /* for PRINTER_SELF the gateway's tunnel address */
	struct prefix4 vpn;
	struct prefix6 vpn6; /* an address; none where it is not reached by IPv6 */
	char preset[PRESET_NAME_BYTES];
	struct services services;
	struct host host; /* by which it was given; "" for none */
	uint8_t state;	  /* enum printer_state */
	uint8_t reach;	  /* enum reach; told in answers to CTL_WEB_LOOK only */
};

struct control_peer {
	struct name name;
	struct wg_key public_key;
	uint32_t address;
	struct prefix6 address6; /* an address, or none */
	uint8_t state;		 /* enum peer_state */
	int64_t created;	 /* 0 is unknown for all times */
	int64_t expires;	 /* 0: no end */
	int64_t last_handshake;
	struct endpoint endpoint;
	uint64_t rx_bytes; /* received by the gateway since the interface came up */
	uint64_t tx_bytes;
};

struct control_grant {
	struct name printer;
	int64_t expires; /* 0: no end */
};

struct control_config {
	char tunnel_name[TUNNEL_NAME_BYTES + 1];
	/* Wipe after use. PrivateKey is absent with has_public_key. */
	char text[CONTROL_CONFIG_BYTES];
};

struct control_event {
	int64_t time;
	char actor[64];
	char action[32];
	char subject[NAME_BYTES + 1];
	char detail[DIAG_TEXT_BYTES];
};

struct control_counts {
	uint32_t peers, online, printers;
};

/* As `doctor --json` names them, in this order. */
enum check_result { CHECK_OK = 0, CHECK_WARN = 1, CHECK_FAIL = 2 };

#define CONTROL_MESSAGE_BYTES 640  /* what was found, in sentences */
#define CONTROL_FIX_BYTES     1024 /* six commands of a firewall */

struct control_check {
	char name[32];
	uint8_t result; /* enum check_result */
	char message[CONTROL_MESSAGE_BYTES];
	char fix[CONTROL_FIX_BYTES]; /* the command to run; "" if there is none */
};

/* ---- the page ---------------------------------------------------------------------------------- */

struct control_web_look {
	struct wire_viewers viewers;	/* who looks through the tunnel, by source address */
	struct wire_web_secrets owners; /* sessions that look, and bearer tokens */
};

/* One for each of the question's owners that is valid now, in their order. */
struct control_web_owner {
	uint8_t index;		/* in the question's owners */
	bool token;		/* it is the bearer token: good for metrics only */
	struct web_secret csrf; /* for this session's logout form; zero for the token */
	int64_t ends;		/* of the session at the latest; 0 for the token */
};

/* Of the doctor's checks, made a minute ago at most while an owner looks. */
struct control_web_findings {
	uint8_t worst; /* enum check_result; CHECK_OK also when none has been made yet */
	uint16_t warnings, failures;
	char message[CONTROL_MESSAGE_BYTES]; /* of the worst; "" if all is well */
};

struct control_web_login {
	struct endpoint from;		   /* tries are counted by it */
	char password[WEB_PASSWORD_BYTES]; /* wipe */
};

struct control_web_session {
	struct web_secret id; /* wipe */
	int64_t ends;	      /* at the latest */
};

struct control_web_logout {
	struct web_secret id, csrf;
};

#define CONTROL_FINGERPRINT_BYTES 96 /* SHA-256: 32 times two digits and a colon, NUL */

struct control_page_info {
	struct wire_viewers plain, tls; /* where it listens, by http and by https */
	bool password, token;		/* are they set? */
	/* Of the certificate, as browsers show it ("A1:B2:…"); "" if there is none. */
	char fingerprint[CONTROL_FINGERPRINT_BYTES];
};

struct control_page_password {
	char password[WEB_PASSWORD_BYTES]; /* as web_password_check wants it; wipe */
};

struct control_page_secret {
	struct web_secret token; /* wipe; it is told this once */
};

/* ---- a file that provisions -------------------------------------------------------------------- */

#define PROVISION_ITEMS_MAX   64 /* printers, and peers */
#define PROVISION_HASH_BYTES  65 /* SHA-256 in hexadecimal digits, NUL */
#define PROVISION_MINUTES_MIN 1
#define PROVISION_MINUTES_MAX 1440

/* Where a peer's QR code is shown until its first handshake; flags. */
enum provision_show { PROVISION_CONSOLE = 1, PROVISION_BOOT = 2 };

struct control_provision {
	char hash[PROVISION_HASH_BYTES]; /* of the file: the same one is applied once */
	char code[CONTROL_CODE_BYTES]; /* the gateway's, where it has peers already; "" for none */
	uint16_t minutes;	       /* for which codes are shown */
};

struct control_provision_peer {
	struct control_enroll enroll;
	uint8_t show; /* enum provision_show; 0 with a public key */
};

struct control_provision_begun {
	bool applied; /* this very file was: there is nothing to do */
};

struct control_provision_code {
	struct name name;
	uint8_t show;
	uint16_t minutes; /* in all, of the machine's uptime */
};

/* Room for any of them, for wire_decode. */
union control_any {
	struct control_named named;
	struct control_printer_add printer_add;
	struct control_enroll enroll;
	struct control_rekey rekey;
	struct control_rename rename;
	struct control_allow allow;
	struct control_log log;
	struct control_lock lock;
	struct control_error error;
	struct control_gateway gateway;
	struct control_printer printer;
	struct control_peer peer;
	struct control_grant grant;
	struct control_config config;
	struct control_event event;
	struct control_counts counts;
	struct control_check check;
	struct control_web_look web_look;
	struct control_web_owner web_owner;
	struct control_web_findings web_findings;
	struct control_web_login web_login;
	struct control_web_session web_session;
	struct control_web_logout web_logout;
	struct control_page_info page_info;
	struct control_page_password page_password;
	struct control_page_secret page_secret;
	struct control_provision provision;
	struct control_provision_peer provision_peer;
	struct control_provision_begun provision_begun;
	struct control_provision_code provision_code;
};

extern const struct wire_table control_table;
