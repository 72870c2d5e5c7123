// The one door to SQLite. Header only; nothing is compiled here.
#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of a macro, invisible to Swift: SQLite copies the bytes before it returns.
static inline int wan_sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int size) {
    return sqlite3_bind_text(statement, index, text, size, SQLITE_TRANSIENT);
}
