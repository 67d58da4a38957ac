/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every statement of the store. None but the *_EACH and *_COUNT ones may scan a table (a test asks
 * SQLite's planner): enrolling one peer costs the same with ten and with ten thousand.
 */
#include "db/query.h"

#define PEER_COLUMNS                                                                               \
	"id, name, public_key, preshared, address, created, expires, first_handshake, disabled,"   \
	" own_key"
#define PRINTER_COLUMNS                                                                            \
	"id, name, kind, address, address_len, vpn, vpn_len, preset, created, host, hardware,"     \
	" moved"
#define GRANT_SELECT                                                                               \
	"SELECT a.peer_id, a.printer_id, r.name, p.address, r.vpn, r.vpn_len, a.expires"           \
	" FROM access a JOIN peer p ON p.id = a.peer_id JOIN printer r ON r.id = a.printer_id"

const char *const query_sql[QUERY_COUNT] = {
	[Q_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[Q_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
		       " ON CONFLICT (key) DO UPDATE SET value = excluded.value",

	[Q_PEER_INSERT] = "INSERT INTO peer (name, folded, public_key, preshared, address, created,"
			  " expires, first_handshake, disabled, own_key)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[Q_PEER_BY_NAME] =
		"SELECT " PEER_COLUMNS " FROM peer WHERE folded = ?1 AND revoked IS NULL",
	[Q_PEER_BY_ADDRESS] =
		"SELECT " PEER_COLUMNS " FROM peer WHERE address = ?1 AND revoked IS NULL",
	[Q_PEER_BY_KEY] =
		"SELECT " PEER_COLUMNS " FROM peer WHERE public_key = ?1 AND revoked IS NULL",
	[Q_PEER_RENAME] = "UPDATE peer SET name = ?2, folded = ?3"
			  " WHERE id = ?1 AND revoked IS NULL",
	[Q_PEER_REKEY] = "UPDATE peer SET public_key = ?2, preshared = ?3, own_key = ?4,"
			 " first_handshake = 0"
			 " WHERE id = ?1 AND revoked IS NULL",
	[Q_PEER_DISABLE] = "UPDATE peer SET disabled = ?2 WHERE id = ?1 AND revoked IS NULL",
	[Q_PEER_CONNECTED] = "UPDATE peer SET first_handshake = ?2"
			     " WHERE id = ?1 AND revoked IS NULL",
	[Q_PEER_REVOKE] = "UPDATE peer SET revoked = ?2, preshared = NULL"
			  " WHERE id = ?1 AND revoked IS NULL",
	[Q_PEER_EACH] = "SELECT " PEER_COLUMNS " FROM peer WHERE revoked IS NULL ORDER BY id",
	[Q_PEER_COUNT] = "SELECT count(*) FROM peer WHERE revoked IS NULL",
	[Q_PEER_NEXT_EXPIRY] = "SELECT expires FROM peer"
			       " WHERE revoked IS NULL AND expires > 0 AND expires > ?1"
			       " ORDER BY expires LIMIT 1",
	[Q_PEER_HAS_ADDRESS] = "SELECT 1 FROM peer WHERE address = ?1 AND revoked IS NULL",
	/* The end of the run of taken addresses that begins at ?1. */
	[Q_PEER_GAP] = "SELECT p.address + 1 FROM peer p"
		       " WHERE p.address BETWEEN ?1 AND ?2 AND p.revoked IS NULL"
		       " AND NOT EXISTS (SELECT 1 FROM peer n"
		       "  WHERE n.address = p.address + 1 AND n.revoked IS NULL)"
		       " ORDER BY p.address LIMIT 1",

	[Q_PRINTER_INSERT] =
		"INSERT INTO printer (name, folded, kind, address, address_len, vpn, vpn_len,"
		" preset, created, host, hardware, moved)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[Q_PRINTER_BY_NAME] = "SELECT " PRINTER_COLUMNS " FROM printer WHERE folded = ?1",
	[Q_PRINTER_BY_ID] = "SELECT " PRINTER_COLUMNS " FROM printer WHERE id = ?1",
	[Q_PRINTER_MOVE] = "UPDATE printer SET address = ?2, hardware = ?3, moved = ?4"
			   " WHERE id = ?1 AND host <> ''",
	[Q_PRINTER_DELETE] = "DELETE FROM printer WHERE id = ?1",
	[Q_PRINTER_EACH] = "SELECT " PRINTER_COLUMNS " FROM printer ORDER BY vpn",
	[Q_PRINTER_VPN_UP] = "SELECT vpn, vpn_len FROM printer WHERE vpn <= ?1 ORDER BY vpn",
	[Q_PRINTER_VPN_DOWN] = "SELECT vpn, vpn_len FROM printer WHERE vpn <= ?1 ORDER BY vpn DESC",
	[Q_SERVICE_INSERT] = "INSERT INTO service (printer_id, protocol, first, last)"
			     " VALUES (?1, ?2, ?3, ?4)",
	[Q_SERVICE_EACH] = "SELECT protocol, first, last FROM service WHERE printer_id = ?1"
			   " ORDER BY protocol, first",

	[Q_GRANT_PUT] =
		"INSERT INTO access (peer_id, printer_id, expires, created)"
		" SELECT id, ?2, ?3, ?4 FROM peer WHERE id = ?1 AND revoked IS NULL"
		" ON CONFLICT (peer_id, printer_id) DO UPDATE SET expires = excluded.expires",
	[Q_GRANT_DELETE] = "DELETE FROM access WHERE peer_id = ?1 AND printer_id = ?2",
	[Q_GRANT_DELETE_OF_PEER] = "DELETE FROM access WHERE peer_id = ?1",
	[Q_GRANT_EACH] = GRANT_SELECT " ORDER BY a.peer_id, r.folded",
	[Q_GRANT_EACH_OF_PEER] = GRANT_SELECT " WHERE a.peer_id = ?1 ORDER BY r.folded",
	[Q_GRANT_EACH_OF_PRINTER] = GRANT_SELECT " WHERE a.printer_id = ?1 ORDER BY a.peer_id",

	[Q_SEALED_PUT] = "INSERT INTO sealed (peer_id, bytes, created)"
			 " SELECT id, ?2, ?3 FROM peer WHERE id = ?1 AND revoked IS NULL"
			 " ON CONFLICT (peer_id) DO UPDATE"
			 " SET bytes = excluded.bytes, created = excluded.created",
	[Q_SEALED_GET] = "SELECT bytes, created FROM sealed WHERE peer_id = ?1",
	[Q_SEALED_ERASE] = "DELETE FROM sealed WHERE peer_id = ?1",
	[Q_SEALED_ERASE_BEFORE] = "DELETE FROM sealed WHERE created < ?1",
	[Q_SEALED_COUNT] = "SELECT count(*) FROM sealed",

	[Q_EVENT_ADD] = "INSERT INTO event (time, actor, action, subject, folded, detail)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_EVENT_TRIM] = "DELETE FROM event WHERE id <= ?1",
	[Q_EVENT_EACH] = "SELECT time, actor, action, subject, detail FROM event"
			 " ORDER BY id DESC LIMIT ?1",
	[Q_EVENT_EACH_OF] = "SELECT time, actor, action, subject, detail FROM event"
			    " WHERE folded = ?2 ORDER BY id DESC LIMIT ?1",

	[Q_PAGE_GET] = "SELECT password, token FROM page WHERE id = 1",
	[Q_PAGE_PASSWORD] = "UPDATE page SET password = ?1 WHERE id = 1",
	[Q_PAGE_TOKEN] = "UPDATE page SET token = ?1 WHERE id = 1",

	[Q_CLAIM_PUT] = "INSERT INTO claim (peer_id, show, minutes) VALUES (?1, ?2, ?3)",
	[Q_CLAIM_DELETE] = "DELETE FROM claim WHERE peer_id = ?1",
	[Q_CLAIM_EACH] = "SELECT peer_id, show, minutes FROM claim ORDER BY peer_id",
};
