// Drives SQLite: makes, changes and checks a database file. What it prints depends on the database alone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

static sqlite3* database;

static void fail(const char* what) {
  printf("%s: %s\n", what, sqlite3_errmsg(database));
  exit(1);
}

static void run(const char* sql) {
  char* message = NULL;
  if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) fail(sql);
}

// Prints all rows of a query.
static void show(const char* sql) {
  sqlite3_stmt* statement;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) fail(sql);
  printf("%s\n", sql);
  int state;
  while ((state = sqlite3_step(statement)) == SQLITE_ROW) {
    printf(" ");
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
      const unsigned char* text = sqlite3_column_text(statement, i);
      printf(" %s", text != NULL ? (const char*)text : "NULL");
    }
    printf("\n");
  }
  if (state != SQLITE_DONE) fail(sql);
  sqlite3_finalize(statement);
}

static unsigned seed = 20240229;
static unsigned number(unsigned below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}

static void insert_people(int from, int to) {
  sqlite3_stmt* statement;
  const char* sql = "INSERT INTO person(id, name, age, balance, photo) VALUES(?, ?, ?, ?, ?)";
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) fail(sql);
  run("BEGIN");
  for (int i = from; i < to; i++) {
    char name[64];
    unsigned char photo[700];
    int size = (int)number(sizeof photo);
    snprintf(name, sizeof name, "n%u of %d \xc3\xa9", number(5000), i);
    for (int k = 0; k < size; k++) photo[k] = (unsigned char)number(256);
    sqlite3_bind_int(statement, 1, i);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)number(90) + 10);
    sqlite3_bind_double(statement, 4, number(1000000) / 64.0);
    sqlite3_bind_blob(statement, 5, photo, size, SQLITE_TRANSIENT);
    if (sqlite3_step(statement) != SQLITE_DONE) fail("insert");
    sqlite3_reset(statement);
  }
  run("COMMIT");
  sqlite3_finalize(statement);
}

static void create(void) {
  run("CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, balance REAL, photo BLOB)");
  run("CREATE TABLE visit(person REFERENCES person(id), place TEXT, day INTEGER)");
  run("CREATE INDEX person_name ON person(name)");
  run("CREATE INDEX person_age ON person(age, balance DESC)");
  run("CREATE VIEW old AS SELECT * FROM person WHERE age > 60");
  run("CREATE TRIGGER leaving AFTER DELETE ON person BEGIN DELETE FROM visit WHERE person = old.id; END");
  insert_people(0, 6000);
  run("BEGIN");
  for (int i = 0; i < 8000; i++) {
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO visit VALUES(%u, 'place %u', %u)", number(6000), number(40), number(365));
    run(sql);
  }
  run("COMMIT");
}

static void change(void) {
  insert_people(10000, 11000);
  run("BEGIN");
  run("UPDATE person SET balance = balance + 1000000 WHERE id % 3 = 0");
  run("DELETE FROM person WHERE age < 50");
  show("SELECT count(*), sum(balance) > 1e9 FROM person");
  run("ROLLBACK");
  run("BEGIN");
  run("DELETE FROM person WHERE id % 7 = 0");
  run("SAVEPOINT inner_one");
  run("DELETE FROM visit");
  run("ROLLBACK TO inner_one");
  run("UPDATE person SET name = upper(name) WHERE id % 5 = 0");
  run("COMMIT");
  if (sqlite3_exec(database, "INSERT INTO person(id, name) VALUES(1, 'again')", NULL, NULL, NULL) == SQLITE_OK) exit(1);
  printf("refused: %s\n", sqlite3_errmsg(database));
  run("REINDEX");
  run("VACUUM");
}

static void check(void) {
  show("PRAGMA integrity_check");
  show("PRAGMA foreign_key_check");
  show("SELECT count(*), min(id), max(id), sum(age), sum(length(photo)), round(sum(balance), 3) FROM person");
  show("SELECT hex(substr(photo, 1, 8)), name FROM person WHERE id IN (1, 10, 100, 1000, 5999, 10500) ORDER BY id");
  show(
      "SELECT age, count(*), round(avg(balance), 6), group_concat(id) FROM person WHERE name BETWEEN 'n10' AND 'n12' "
      "GROUP BY age ORDER BY age LIMIT 12");
  show(
      "SELECT place, count(DISTINCT person) AS people FROM visit JOIN old ON old.id = visit.person GROUP BY place "
      "ORDER BY people DESC, place LIMIT 5");
  show("SELECT name FROM person WHERE name LIKE '%99%' ORDER BY name DESC LIMIT 4");
  show(
      "WITH RECURSIVE f(n, a, b) AS (SELECT 1, 0, 1 UNION ALL SELECT n + 1, b, a + b FROM f WHERE n < 60) "
      "SELECT n, a FROM f WHERE n % 20 = 0");
  show(
      "SELECT id, rank() OVER (PARTITION BY age ORDER BY balance DESC) AS r FROM person WHERE age = 42 ORDER BY r, id "
      "LIMIT 5");
  show(
      "SELECT json_extract('{\"a\": [1, {\"b\": 2.5}]}', '$.a[1].b'), printf('%08.3f|%x', 3.14159, 255), date(86400 * "
      "365, 'unixepoch')");
  show("EXPLAIN QUERY PLAN SELECT * FROM person WHERE name = 'n1'");
  show("SELECT type, name FROM sqlite_schema ORDER BY name");
}

int main(int argc, char** argv) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
  if (argc != 3 || sqlite3_open_v2(argv[2], &database, flags, NULL) != SQLITE_OK) fail("open");
  printf("SQLite %s\n", sqlite3_libversion());
  if (strcmp(argv[1], "create") == 0) create();
  if (strcmp(argv[1], "change") == 0) change();
  check();
  if (sqlite3_close(database) != SQLITE_OK) fail("close");
  return 0;
}
