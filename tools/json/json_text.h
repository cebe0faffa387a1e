#ifndef TOOL_JSON_TEXT_H
#define TOOL_JSON_TEXT_H

/**
 * @file JSON as text. JSON that is passed on or shown must not change, but a parser that converts
 * numbers to double changes them. These functions check a text, find a member in it and format it
 * for people; every number keeps its text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** The nesting that json_text_print can show. */
#define JSON_TEXT_DEPTH_MAX 512

/** A part of a text; no NUL follows it. */
typedef struct json_text {
    const char *ptr; /* NULL: none */
    size_t len;
} json_text;

/** How strict a check is. */
typedef struct json_text_rules {
    unsigned depth_max; /* objects and arrays inside of each other, at most JSON_TEXT_DEPTH_MAX */
    bool nul;           /* may a string hold \u0000? */
    /** Called for each number in order of the text; may be NULL. */
    void (*number)(void *user, json_text number);
    void *user;
} json_text_rules;

/**
 * True if the text is one JSON value (RFC 8259) with optional white space around it. If it is not,
 * ignore the calls of rules->number that were made. Bytes from 0x80 on are not checked: the caller
 * must check whether they are UTF-8.
 */
bool json_text_check(json_text text, const json_text_rules *rules);

/**
 * Step through the members of an object that json_text_check accepted, with *at NULL at first.
 * name is with its quotes.  False at the end, and when the text is no object.
 */
bool json_text_next(json_text object, const char **at, json_text *name, json_text *value);
/** Is the string, with its quotes, that ASCII text? */
bool json_text_is_name(json_text string, const char *name);

/**
 * The value of a member of an object that json_text_check accepted: the last one of that name, as
 * most readers of JSON see it.  name is ASCII.  ptr is NULL when the text is no object or has no
 * such member.
 */
json_text json_text_member(json_text object, const char *name);

/**
 * Prints a text that json_text_check accepted, with one member per line and an indent of two
 * spaces. Strings are printed unchanged, including characters that control a terminal. No line end
 * follows.
 */
void json_text_print(FILE *out, json_text text);

#endif
