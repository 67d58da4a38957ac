/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema, as the steps that lead from nothing to today's version: step i brings a store from
 * user_version i to i + 1. A released step is never edited; a change is one more step. Every column
 * has a CHECK, so that whatever comes out of a checked store is within the bounds of db/store.h.
 */
#include "db/store_internal.h"

#include "common/cleanup.h"

/*
 * Peers stay as records after they were revoked; name, key and address are unique only among those
 * that are not. An address is unique by construction elsewhere (core asks for a free one), but the
 * store is where it is enforced. No peer is ever deleted, so ids are never used twice; printers are
 * deleted, hence their AUTOINCREMENT.
 */
static const char step_1[] =
	"CREATE TABLE meta ("
	"  key TEXT NOT NULL PRIMARY KEY CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 32),"
	"  value TEXT NOT NULL CHECK (length(CAST(value AS BLOB)) <= 256)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE peer ("
	"  id INTEGER PRIMARY KEY CHECK (id > 0),"
	"  name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),"
	"  folded TEXT NOT NULL CHECK (length(CAST(folded AS BLOB)) BETWEEN 1 AND 192),"
	"  public_key BLOB NOT NULL CHECK (length(public_key) = 32),"
	"  preshared BLOB CHECK (preshared IS NULL"
	"    OR (length(preshared) = 32 AND revoked IS NULL)),"
	"  address INTEGER NOT NULL CHECK (address BETWEEN 1 AND 4294967294),"
	"  created INTEGER NOT NULL CHECK (created >= 0),"
	"  expires INTEGER NOT NULL CHECK (expires >= 0),"
	"  first_handshake INTEGER NOT NULL CHECK (first_handshake >= 0),"
	"  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),"
	"  own_key INTEGER NOT NULL CHECK (own_key IN (0, 1)),"
	"  revoked INTEGER CHECK (revoked >= 0)"
	") STRICT;"
	"CREATE UNIQUE INDEX peer_folded ON peer (folded) WHERE revoked IS NULL;"
	"CREATE UNIQUE INDEX peer_public_key ON peer (public_key) WHERE revoked IS NULL;"
	"CREATE UNIQUE INDEX peer_address ON peer (address) WHERE revoked IS NULL;"
	"CREATE INDEX peer_expires ON peer (expires) WHERE revoked IS NULL AND expires > 0;"

	"CREATE TABLE printer ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),"
	"  name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),"
	"  folded TEXT NOT NULL UNIQUE CHECK (length(CAST(folded AS BLOB)) BETWEEN 1 AND 192),"
	"  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),"
	"  address INTEGER NOT NULL CHECK (address BETWEEN 0 AND 4294967295"
	"    AND address & ((1 << (32 - address_len)) - 1) = 0),"
	"  address_len INTEGER NOT NULL CHECK (address_len BETWEEN 1 AND 32),"
	"  vpn INTEGER NOT NULL UNIQUE CHECK (vpn BETWEEN 1 AND 4294967295"
	"    AND vpn & ((1 << (32 - vpn_len)) - 1) = 0),"
	"  vpn_len INTEGER NOT NULL CHECK (vpn_len BETWEEN 1 AND 32),"
	"  preset TEXT NOT NULL CHECK (length(CAST(preset AS BLOB)) <= 15),"
	"  created INTEGER NOT NULL CHECK (created >= 0),"
	/* Kinds as in common/control.h: host 0, subnet 1, self 2. Subnets map host by host. */
	"  CHECK ((kind = 1) = (address_len < 32)),"
	"  CHECK ((kind = 2) = (address = 0)),"
	"  CHECK (vpn_len = address_len)"
	") STRICT;"

	/* Blocks are disjoint, so only the last one that begins at or before our end can overlap.
	 */
	"CREATE TRIGGER printer_vpn_disjoint BEFORE INSERT ON printer BEGIN"
	"  SELECT RAISE(ABORT, 'printer.vpn overlaps') WHERE NEW.vpn <= ("
	"    SELECT vpn + (1 << (32 - vpn_len)) - 1 FROM printer"
	"    WHERE vpn <= NEW.vpn + (1 << (32 - NEW.vpn_len)) - 1 ORDER BY vpn DESC LIMIT 1);"
	"END;"

	"CREATE TABLE service ("
	"  printer_id INTEGER NOT NULL REFERENCES printer (id) ON DELETE CASCADE"
	"    CHECK (printer_id > 0),"
	"  protocol INTEGER NOT NULL CHECK (protocol IN (6, 17)),"
	"  first INTEGER NOT NULL CHECK (first BETWEEN 1 AND 65535),"
	"  last INTEGER NOT NULL CHECK (last BETWEEN first AND 65535),"
	"  PRIMARY KEY (printer_id, protocol, first)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE access ("
	"  peer_id INTEGER NOT NULL REFERENCES peer (id) CHECK (peer_id > 0),"
	"  printer_id INTEGER NOT NULL REFERENCES printer (id) ON DELETE CASCADE"
	"    CHECK (printer_id > 0),"
	"  expires INTEGER NOT NULL CHECK (expires >= 0),"
	"  created INTEGER NOT NULL CHECK (created >= 0),"
	"  PRIMARY KEY (peer_id, printer_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX access_printer ON access (printer_id);"

	"CREATE TABLE sealed ("
	"  peer_id INTEGER PRIMARY KEY REFERENCES peer (id) CHECK (peer_id > 0),"
	"  created INTEGER NOT NULL CHECK (created >= 0),"
	"  bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 2048)"
	") STRICT;"
	"CREATE INDEX sealed_created ON sealed (created);"

	"CREATE TABLE event ("
	"  id INTEGER PRIMARY KEY CHECK (id > 0),"
	"  time INTEGER NOT NULL CHECK (time >= 0),"
	"  actor TEXT NOT NULL CHECK (length(CAST(actor AS BLOB)) <= 63),"
	"  action TEXT NOT NULL CHECK (length(CAST(action AS BLOB)) <= 31),"
	"  subject TEXT NOT NULL CHECK (length(CAST(subject AS BLOB)) <= 64),"
	"  folded TEXT NOT NULL CHECK (length(CAST(folded AS BLOB)) <= 192),"
	"  detail TEXT NOT NULL CHECK (length(CAST(detail AS BLOB)) <= 383)"
	") STRICT;";

/* Printers given by name: what they are known by again, and whether they are closed because what the
 * name leads to is not known to be them. */
static const char step_2[] =
	"ALTER TABLE printer ADD COLUMN host TEXT NOT NULL DEFAULT ''"
	"  CHECK (length(CAST(host AS BLOB)) <= 253 AND (host = '' OR kind = 0));"
	"ALTER TABLE printer ADD COLUMN hardware BLOB NOT NULL DEFAULT x'000000000000'"
	"  CHECK (length(hardware) = 6 AND (hardware = x'000000000000' OR host <> ''));"
	"ALTER TABLE printer ADD COLUMN moved INTEGER NOT NULL DEFAULT 0"
	"  CHECK (moved IN (0, 1) AND (moved = 0 OR host <> ''));";

/* The page: one row, made here. The password as crypto_pwhash_str makes it, the token as its hash;
 * empty: none is set. */
static const char step_3[] =
	"CREATE TABLE page ("
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  password TEXT NOT NULL CHECK (length(CAST(password AS BLOB)) <= 127),"
	"  token BLOB NOT NULL CHECK (length(token) IN (0, 32))"
	") STRICT;"
	"INSERT INTO page (id, password, token) VALUES (1, '', x'');";

/* Peers of a provisioning file whose QR code is to be shown still: where (enum provision_show), and for
 * how many minutes of the machine's uptime. */
static const char step_4[] =
	"CREATE TABLE claim ("
	"  peer_id INTEGER PRIMARY KEY REFERENCES peer (id) CHECK (peer_id > 0),"
	"  show INTEGER NOT NULL CHECK (show BETWEEN 1 AND 3),"
	"  minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 65535)"
	") STRICT;";

const char *const schema_steps[] = {step_1, step_2, step_3, step_4};
const int schema_version = ARRAY_LEN(schema_steps);
