/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The field tables of control.h: one row a message. Nothing else belongs here.
 */
#include "common/control.h"

static const struct wire_field named_fields[] = {
	WIRE_FIELD(control_named, name, WIRE_NAME),
};

static const struct wire_field printer_add_fields[] = {
	WIRE_FIELD(control_printer_add, name, WIRE_NAME),
	WIRE_RANGE(control_printer_add, kind, WIRE_U8, PRINTER_HOST, PRINTER_SELF),
	WIRE_FIELD(control_printer_add, address, WIRE_PREFIX4),
	WIRE_CHARS(control_printer_add, preset, WIRE_TOKEN),
	WIRE_RANGE(control_printer_add, services, WIRE_SERVICES, 1, SERVICES_MAX),
	WIRE_FIELD(control_printer_add, host, WIRE_HOST_OPT),
};

static const struct wire_field enroll_fields[] = {
	WIRE_FIELD(control_enroll, name, WIRE_NAME),
	WIRE_FIELD(control_enroll, all_printers, WIRE_BOOL),
	WIRE_FIELD(control_enroll, has_public_key, WIRE_BOOL),
	WIRE_FIELD(control_enroll, public_key, WIRE_KEY),
	WIRE_FIELD(control_enroll, expires_at, WIRE_TIME),
	WIRE_RANGE(control_enroll, expires_after, WIRE_U32, 0, WHEN_DURATION_MAX),
	WIRE_FIELD(control_enroll, printers, WIRE_NAMES),
};

static const struct wire_field rekey_fields[] = {
	WIRE_FIELD(control_rekey, name, WIRE_NAME),
	WIRE_FIELD(control_rekey, has_public_key, WIRE_BOOL),
	WIRE_FIELD(control_rekey, public_key, WIRE_KEY),
};

static const struct wire_field rename_fields[] = {
	WIRE_FIELD(control_rename, name, WIRE_NAME),
	WIRE_FIELD(control_rename, to, WIRE_NAME),
};

static const struct wire_field allow_fields[] = {
	WIRE_FIELD(control_allow, peer, WIRE_NAME),
	WIRE_FIELD(control_allow, printer, WIRE_NAME),
	WIRE_FIELD(control_allow, expires_at, WIRE_TIME),
	WIRE_RANGE(control_allow, expires_after, WIRE_U32, 0, WHEN_DURATION_MAX),
};

static const struct wire_field log_fields[] = {
	WIRE_FIELD(control_log, peer, WIRE_NAME_OPT),
	WIRE_RANGE(control_log, limit, WIRE_U32, 1, 10000),
};

static const struct wire_field lock_fields[] = {
	WIRE_CHARS(control_lock, reason, WIRE_TEXT),
};

static const struct wire_field error_fields[] = {
	WIRE_FIELD(control_error, code, WIRE_ERR),
	WIRE_CHARS(control_error, text, WIRE_TEXT),
};

static const struct wire_field gateway_fields[] = {
	WIRE_CHARS(control_gateway, interface, WIRE_TOKEN),
	WIRE_CHARS(control_gateway, backend, WIRE_TOKEN),
	WIRE_FIELD(control_gateway, public_key, WIRE_KEY),
	WIRE_FIELD(control_gateway, listen_port, WIRE_U16),
	WIRE_CHARS(control_gateway, endpoint, WIRE_TEXT),
	WIRE_FIELD(control_gateway, tunnel, WIRE_PREFIX4),
	WIRE_FIELD(control_gateway, tunnel6, WIRE_PREFIX6),
	WIRE_FIELD(control_gateway, locked, WIRE_BOOL),
	WIRE_CHARS(control_gateway, lock_reason, WIRE_TEXT),
	WIRE_FIELD(control_gateway, uptime, WIRE_U64),
	WIRE_CHARS(control_gateway, provision_code, WIRE_TOKEN),
};

static const struct wire_field printer_fields[] = {
	WIRE_FIELD(control_printer, name, WIRE_NAME),
	WIRE_RANGE(control_printer, kind, WIRE_U8, PRINTER_HOST, PRINTER_SELF),
	WIRE_FIELD(control_printer, address, WIRE_PREFIX4),
	WIRE_FIELD(control_printer, vpn, WIRE_PREFIX4),
	WIRE_FIELD(control_printer, vpn6, WIRE_PREFIX6),
	WIRE_CHARS(control_printer, preset, WIRE_TOKEN),
	WIRE_RANGE(control_printer, services, WIRE_SERVICES, 1, SERVICES_MAX),
	WIRE_FIELD(control_printer, host, WIRE_HOST_OPT),
	WIRE_RANGE(control_printer, state, WIRE_U8, PRINTER_OPEN, PRINTER_MOVED),
	WIRE_RANGE(control_printer, reach, WIRE_U8, REACH_UNKNOWN, REACH_SILENT),
};

static const struct wire_field peer_fields[] = {
	WIRE_FIELD(control_peer, name, WIRE_NAME),
	WIRE_FIELD(control_peer, public_key, WIRE_KEY),
	WIRE_FIELD(control_peer, address, WIRE_IP4),
	WIRE_FIELD(control_peer, address6, WIRE_PREFIX6),
	WIRE_RANGE(control_peer, state, WIRE_U8, PEER_WAITING, PEER_EXPIRED),
	WIRE_FIELD(control_peer, created, WIRE_TIME),
	WIRE_FIELD(control_peer, expires, WIRE_TIME),
	WIRE_FIELD(control_peer, last_handshake, WIRE_TIME),
	WIRE_FIELD(control_peer, endpoint, WIRE_ENDPOINT),
	WIRE_FIELD(control_peer, rx_bytes, WIRE_U64),
	WIRE_FIELD(control_peer, tx_bytes, WIRE_U64),
};

static const struct wire_field grant_fields[] = {
	WIRE_FIELD(control_grant, printer, WIRE_NAME),
	WIRE_FIELD(control_grant, expires, WIRE_TIME),
};

static const struct wire_field config_fields[] = {
	WIRE_CHARS(control_config, tunnel_name, WIRE_TOKEN),
	WIRE_CHARS(control_config, text, WIRE_TEXT),
};

static const struct wire_field event_fields[] = {
	WIRE_FIELD(control_event, time, WIRE_TIME),
	WIRE_CHARS(control_event, actor, WIRE_TEXT),
	WIRE_CHARS(control_event, action, WIRE_TOKEN),
	WIRE_CHARS(control_event, subject, WIRE_TEXT),
	WIRE_CHARS(control_event, detail, WIRE_TEXT),
};

static const struct wire_field counts_fields[] = {
	WIRE_FIELD(control_counts, peers, WIRE_U32),
	WIRE_FIELD(control_counts, online, WIRE_U32),
	WIRE_FIELD(control_counts, printers, WIRE_U32),
};

static const struct wire_field check_fields[] = {
	WIRE_CHARS(control_check, name, WIRE_TOKEN),
	WIRE_RANGE(control_check, result, WIRE_U8, CHECK_OK, CHECK_FAIL),
	WIRE_CHARS(control_check, message, WIRE_TEXT),
	WIRE_CHARS(control_check, fix, WIRE_TEXT),
};

static const struct wire_field web_look_fields[] = {
	WIRE_FIELD(control_web_look, viewers, WIRE_VIEWERS),
	WIRE_FIELD(control_web_look, owners, WIRE_WEB_SECRETS),
};

static const struct wire_field web_owner_fields[] = {
	WIRE_RANGE(control_web_owner, index, WIRE_U8, 0, WEB_OWNERS_MAX - 1),
	WIRE_FIELD(control_web_owner, token, WIRE_BOOL),
	WIRE_FIELD(control_web_owner, csrf, WIRE_WEB_SECRET),
	WIRE_FIELD(control_web_owner, ends, WIRE_TIME),
};

static const struct wire_field web_findings_fields[] = {
	WIRE_RANGE(control_web_findings, worst, WIRE_U8, CHECK_OK, CHECK_FAIL),
	WIRE_FIELD(control_web_findings, warnings, WIRE_U16),
	WIRE_FIELD(control_web_findings, failures, WIRE_U16),
	WIRE_CHARS(control_web_findings, message, WIRE_TEXT),
};

static const struct wire_field web_login_fields[] = {
	WIRE_FIELD(control_web_login, from, WIRE_ENDPOINT),
	WIRE_CHARS(control_web_login, password, WIRE_TEXT),
};

static const struct wire_field web_session_fields[] = {
	WIRE_FIELD(control_web_session, id, WIRE_WEB_SECRET),
	WIRE_FIELD(control_web_session, ends, WIRE_TIME),
};

static const struct wire_field web_logout_fields[] = {
	WIRE_FIELD(control_web_logout, id, WIRE_WEB_SECRET),
	WIRE_FIELD(control_web_logout, csrf, WIRE_WEB_SECRET),
};

static const struct wire_field page_info_fields[] = {
	WIRE_FIELD(control_page_info, plain, WIRE_VIEWERS),
	WIRE_FIELD(control_page_info, tls, WIRE_VIEWERS),
	WIRE_FIELD(control_page_info, password, WIRE_BOOL),
	WIRE_FIELD(control_page_info, token, WIRE_BOOL),
	WIRE_CHARS(control_page_info, fingerprint, WIRE_TOKEN),
};

static const struct wire_field page_password_fields[] = {
	WIRE_CHARS(control_page_password, password, WIRE_TEXT),
};

static const struct wire_field page_secret_fields[] = {
	WIRE_FIELD(control_page_secret, token, WIRE_WEB_SECRET),
};

static const struct wire_field provision_fields[] = {
	WIRE_CHARS(control_provision, hash, WIRE_TOKEN),
	WIRE_CHARS(control_provision, code, WIRE_TOKEN),
	WIRE_RANGE(control_provision, minutes, WIRE_U16, PROVISION_MINUTES_MIN,
		   PROVISION_MINUTES_MAX),
};

static const struct wire_field provision_peer_fields[] = {
	WIRE_FIELD(control_provision_peer, enroll.name, WIRE_NAME),
	WIRE_FIELD(control_provision_peer, enroll.all_printers, WIRE_BOOL),
	WIRE_FIELD(control_provision_peer, enroll.has_public_key, WIRE_BOOL),
	WIRE_FIELD(control_provision_peer, enroll.public_key, WIRE_KEY),
	WIRE_FIELD(control_provision_peer, enroll.expires_at, WIRE_TIME),
	WIRE_RANGE(control_provision_peer, enroll.expires_after, WIRE_U32, 0, WHEN_DURATION_MAX),
	WIRE_FIELD(control_provision_peer, enroll.printers, WIRE_NAMES),
	WIRE_RANGE(control_provision_peer, show, WIRE_U8, 0, PROVISION_CONSOLE | PROVISION_BOOT),
};

static const struct wire_field provision_begun_fields[] = {
	WIRE_FIELD(control_provision_begun, applied, WIRE_BOOL),
};

static const struct wire_field provision_code_fields[] = {
	WIRE_FIELD(control_provision_code, name, WIRE_NAME),
	WIRE_RANGE(control_provision_code, show, WIRE_U8, 0, PROVISION_CONSOLE | PROVISION_BOOT),
	WIRE_RANGE(control_provision_code, minutes, WIRE_U16, PROVISION_MINUTES_MIN,
		   PROVISION_MINUTES_MAX),
};

static const struct wire_row rows[] = {
	WIRE_EMPTY(CTL_STATUS),
	WIRE_EMPTY(CTL_PEERS),
	WIRE_ROW(CTL_PEER_SHOW, control_named, named_fields),
	WIRE_EMPTY(CTL_PRINTERS),
	WIRE_ROW(CTL_PRINTER_ADD, control_printer_add, printer_add_fields),
	WIRE_ROW(CTL_PRINTER_REMOVE, control_named, named_fields),
	WIRE_ROW(CTL_ENROLL, control_enroll, enroll_fields),
	WIRE_ROW(CTL_QR, control_named, named_fields),
	WIRE_ROW(CTL_REKEY, control_rekey, rekey_fields),
	WIRE_ROW(CTL_RENAME, control_rename, rename_fields),
	WIRE_ROW(CTL_ALLOW, control_allow, allow_fields),
	WIRE_ROW(CTL_DENY, control_allow, allow_fields),
	WIRE_ROW(CTL_DISABLE, control_named, named_fields),
	WIRE_ROW(CTL_ENABLE, control_named, named_fields),
	WIRE_ROW(CTL_REVOKE, control_named, named_fields),
	WIRE_ROW(CTL_LOG, control_log, log_fields),
	WIRE_ROW(CTL_LOCK, control_lock, lock_fields),
	WIRE_EMPTY(CTL_UNLOCK),
	WIRE_EMPTY(CTL_DOCTOR),
	WIRE_ROW(CTL_PRINTER_CONFIRM, control_named, named_fields),
	WIRE_EMPTY(CTL_PAGE),
	WIRE_ROW(CTL_PAGE_PASSWORD, control_page_password, page_password_fields),
	WIRE_EMPTY(CTL_PAGE_TOKEN),
	WIRE_ROW(CTL_PROVISION_BEGIN, control_provision, provision_fields),
	WIRE_ROW(CTL_PROVISION_PRINTER, control_printer_add, printer_add_fields),
	WIRE_ROW(CTL_PROVISION_PEER, control_provision_peer, provision_peer_fields),
	WIRE_EMPTY(CTL_PROVISION_COMMIT),
	WIRE_EMPTY(CTL_PROVISION_CODES),
	WIRE_ROW(CTL_PROVISION_DONE, control_named, named_fields),
	WIRE_ROW(CTL_WEB_LOOK, control_web_look, web_look_fields),
	WIRE_ROW(CTL_WEB_LOGIN, control_web_login, web_login_fields),
	WIRE_ROW(CTL_WEB_LOGOUT, control_web_logout, web_logout_fields),
	WIRE_ROW(CTL_ERROR, control_error, error_fields),
	WIRE_EMPTY(CTL_END),
	WIRE_ROW(CTL_CHECK, control_check, check_fields),
	WIRE_ROW(CTL_GATEWAY, control_gateway, gateway_fields),
	WIRE_ROW(CTL_PRINTER, control_printer, printer_fields),
	WIRE_ROW(CTL_PEER, control_peer, peer_fields),
	WIRE_ROW(CTL_GRANT, control_grant, grant_fields),
	WIRE_ROW(CTL_CONFIG, control_config, config_fields),
	WIRE_ROW(CTL_EVENT, control_event, event_fields),
	WIRE_ROW(CTL_COUNTS, control_counts, counts_fields),
	WIRE_ROW(CTL_WEB_OWNER, control_web_owner, web_owner_fields),
	WIRE_ROW(CTL_WEB_FINDINGS, control_web_findings, web_findings_fields),
	WIRE_ROW(CTL_WEB_SESSION, control_web_session, web_session_fields),
	WIRE_ROW(CTL_PAGE_INFO, control_page_info, page_info_fields),
	WIRE_ROW(CTL_PAGE_SECRET, control_page_secret, page_secret_fields),
	WIRE_ROW(CTL_PROVISION_BEGUN, control_provision_begun, provision_begun_fields),
	WIRE_ROW(CTL_PROVISION_CODE, control_provision_code, provision_code_fields),
};

const struct wire_table control_table = {rows, sizeof(rows) / sizeof(rows[0])};
