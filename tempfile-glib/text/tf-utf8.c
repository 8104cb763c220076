/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-utf8.h"

#include <errno.h>

/* The bytes that belong together at the start of @bytes: one character, or as much of one as is right.
 * That is what Unicode, chapter 3.9, calls a maximal subpart, and Python replaces by one U+FFFD. */
gsize
tf_utf8_measure (const guint8 *bytes,
                 gsize         n_bytes,
                 gsize        *n_needed)
{
  guint8 lead = bytes[0];
  guint8 lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  guint8 highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  gsize n = 1;

  *n_needed = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  while (n < n_bytes && n < *n_needed && bytes[n] >= lowest && bytes[n] <= highest)
    {
      lowest = 0x80;
      highest = 0xbf;
      n++;
    }

  return n;
}

/* Appends legal characters up to @limit bytes of text. Returns 0, or an errno as iconv() sets it. */
int
tf_utf8_decode (const guint8 **bytes,
                gsize         *n_bytes,
                gsize          limit,
                GString       *text)
{
  const guint8 *start = *bytes;
  gsize room = limit - text->len;
  gsize n_done = 0;
  int result = 0;

  while (n_done < *n_bytes && result == 0)
    {
      gsize n_needed;
      gsize n = tf_utf8_measure (start + n_done, *n_bytes - n_done, &n_needed);

      if (n != n_needed)
        result = n_needed > 0 && n_done + n == *n_bytes ? EINVAL : EILSEQ;
      else if (n_done + n > room)
        result = E2BIG;
      else
        n_done += n;
    }

  g_string_append_len (text, (const char *) start, n_done);
  *bytes += n_done;
  *n_bytes -= n_done;
  return result;
}
