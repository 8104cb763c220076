/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-newline.h"

#include <string.h>

static gsize
find_any_end (const char *text,
              gsize       length,
              gboolean    is_end)
{
  for (gsize i = 0; i < length; i++)
    {
      if (text[i] == '\n')
        return i + 1;
      if (text[i] == '\r' && i + 1 < length)
        return text[i + 1] == '\n' ? i + 2 : i + 1;
    }

  return is_end ? length : 0;
}

static gsize
find_string_end (const char *text,
                 gsize       length,
                 const char *string,
                 gboolean    is_end)
{
  const char *end = text + length;
  gsize size = strlen (string);

  for (const char *at = text; (at = memchr (at, *string, end - at)) != NULL; at++)
    if ((gsize) (end - at) >= size && memcmp (at, string, size) == 0)
      return at - text + size;

  return is_end ? length : 0;
}

/* Returns the number of bytes of the first line, including its newline. */
gsize
tf_newline_find_end (TfNewline   newline,
                     const char *text,
                     gsize       length,
                     gboolean    is_end)
{
  switch (newline)
    {
    case TF_NEWLINE_LF:
      return find_string_end (text, length, "\n", is_end);

    case TF_NEWLINE_CR:
      return find_string_end (text, length, "\r", is_end);

    case TF_NEWLINE_CRLF:
      return find_string_end (text, length, "\r\n", is_end);

    case TF_NEWLINE_UNIVERSAL:
    case TF_NEWLINE_UNTRANSLATED:
    default:
      return find_any_end (text, length, is_end);
    }
}

/* Returns the number of bytes that @n_chars characters take, or all characters if there are fewer. */
gsize
tf_newline_measure (TfNewline   newline,
                    const char *text,
                    gsize       length,
                    gsize       n_chars,
                    gboolean    is_end)
{
  const char *c = text;
  const char *end = text + length;

  for (; n_chars > 0 && c < end; n_chars--)
    {
      gboolean is_cr = *c == '\r' && newline == TF_NEWLINE_UNIVERSAL;

      c = g_utf8_next_char (c);
      if (is_cr && c == end && !is_end)
        return 0;
      if (is_cr && c < end && *c == '\n')
        c++;
    }

  return n_chars == 0 || is_end ? c - text : 0;
}

/* @text has no NUL. Returns NULL if there is not enough memory. */
char *
tf_newline_from_file (TfNewline   newline,
                      const char *text,
                      gsize       length)
{
  char *result = g_try_malloc (length + 1);
  char *to = result;

  if (result == NULL)
    return NULL;

  memcpy (result, text, length);
  result[length] = '\0';
  if (newline != TF_NEWLINE_UNIVERSAL)
    return result;

  for (const char *from = result; *from != '\0'; from++)
    {
      if (from[0] == '\r' && from[1] == '\n')
        continue;
      *to++ = *from == '\r' ? '\n' : *from;
    }
  *to = '\0';

  return result;
}

static gsize
count_newlines (const char *text,
                const char *end)
{
  gsize n = 0;

  for (; (text = memchr (text, '\n', end - text)) != NULL; text++)
    n++;

  return n;
}

/* Appends @text to @result. */
void
tf_newline_to_file (TfNewline   newline,
                    const char *text,
                    gsize       length,
                    TfString   *result)
{
  const char *end_of_line = newline == TF_NEWLINE_CR ? "\r" : newline == TF_NEWLINE_CRLF ? "\r\n" : "\n";
  const char *from = text;
  const char *end = text + length;
  const char *at;

  tf_string_grow (result, newline == TF_NEWLINE_CRLF ? length + count_newlines (text, end) : length);
  while ((at = memchr (from, '\n', end - from)) != NULL)
    {
      tf_string_append (result, from, at - from);
      tf_string_append (result, end_of_line, strlen (end_of_line));
      from = at + 1;
    }

  tf_string_append (result, from, end - from);
}
