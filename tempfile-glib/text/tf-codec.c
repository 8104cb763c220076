/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-codec.h"

#include <errno.h>
#include <string.h>

#define NO_CONVERTER ((GIConv) -1)
#define REPLACEMENT "\357\277\275" /* U+FFFD */

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
# define NATIVE_ORDER "LE"
#else
# define NATIVE_ORDER "BE"
#endif

static gboolean
open_converter (GIConv      *converter,
                const char  *to,
                const char  *from,
                GError     **error)
{
  if (*converter != NULL)
    g_iconv_close (*converter);

  *converter = g_iconv_open (to, from);
  if (*converter != NO_CONVERTER)
    return TRUE;

  *converter = NULL;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "Text cannot be converted from “%s” to “%s”", from, to);
  return FALSE;
}

/* An encoding's name in capitals, without what people put between its parts. */
static char *
normalize (const char *encoding)
{
  GString *name = g_string_new (NULL);

  for (const char *c = encoding; *c != '\0'; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (name, g_ascii_toupper (*c));

  return g_string_free (name, FALSE);
}

static gboolean
has_any_prefix (const char *name,
                const char * const *prefixes)
{
  for (; *prefixes != NULL; prefixes++)
    if (g_str_has_prefix (name, *prefixes))
      return TRUE;

  return FALSE;
}

/* The converter of an encoding with a byte order mark, for one byte order. */
static gboolean
open_decoder_for_order (TfCodec     *self,
                        const char  *order,
                        GError     **error)
{
  g_autofree char *encoding = g_strconcat (self->unit == 2 ? "UTF-16" : "UTF-32", order, NULL);

  return open_converter (&self->decoder, "UTF-8", encoding, error);
}

static gboolean
open_encoder (TfCodec  *self,
              GError  **error)
{
  const char *encoding = self->encoding;

  if (self->has_mark)
    encoding = self->unit == 2 ? "UTF-16" NATIVE_ORDER : "UTF-32" NATIVE_ORDER;

  return open_converter (&self->encoder, encoding, "UTF-8", error);
}

gboolean
tf_codec_init (TfCodec       *self,
               const char    *encoding,
               TfTextErrors   errors,
               GError       **error)
{
  const char *stateful[] = { "ISO2022", "CSISO2022", "UTF7", "HZ", "IBM93", "CP93", NULL };
  g_autofree char *name = normalize (encoding);

  *self = (TfCodec) {
    .encoding = g_strdup (encoding),
    .errors = errors,
    .unit = g_str_has_prefix (name, "UTF16") ? 2 : g_str_has_prefix (name, "UTF32") ? 4 : 1,
    .is_utf8 = g_str_equal (name, "UTF8"),
    .has_mark = g_str_equal (name, "UTF16") || g_str_equal (name, "UTF32"),
    .is_stateful = has_any_prefix (name, stateful),
  };

  return self->is_utf8 || (open_encoder (self, error) && tf_codec_restart (self, error));
}

void
tf_codec_clear (TfCodec *self)
{
  if (self->decoder != NULL)
    g_iconv_close (self->decoder);
  if (self->encoder != NULL)
    g_iconv_close (self->encoder);

  g_free (self->encoding);
}

/* How many of the first bytes have to be decoded again, to decode from @offset on. */
gsize
tf_codec_get_context_size (const TfCodec *self,
                           goffset        offset)
{
  gsize size = MIN ((guint64) offset, G_MAXSIZE);

  if (self->is_stateful)
    return size;

  return self->has_mark ? MIN (self->unit, size) : 0;
}

/* Makes the next bytes to decode the first ones of a text. */
gboolean
tf_codec_restart (TfCodec  *self,
                  GError  **error)
{
  if (self->is_utf8)
    return TRUE;

  if (!self->has_mark)
    return open_converter (&self->decoder, "UTF-8", self->encoding, error);

  if (self->decoder != NULL)
    g_iconv_close (self->decoder);
  self->decoder = NULL;
  return TRUE;
}

/* Where there should have been a byte order mark there was none. */
gboolean
tf_codec_assume_order (TfCodec  *self,
                       GError  **error)
{
  return open_decoder_for_order (self, NATIVE_ORDER, error);
}

/* Finds out the byte order; half a mark at the end of the text is for the decoder to complain about. */
static gboolean
read_mark (TfCodec       *self,
           const guint8  *bytes,
           gsize          n_bytes,
           gboolean       is_end,
           gsize         *n_used,
           GError       **error)
{
  static const guint8 little[] = { 0xff, 0xfe, 0, 0 };
  static const guint8 big[] = { 0, 0, 0xfe, 0xff };

  if (n_bytes < self->unit)
    return n_bytes == 0 || !is_end || tf_codec_assume_order (self, error);

  *n_used = self->unit;
  if (memcmp (bytes, little, self->unit) == 0)
    return open_decoder_for_order (self, "LE", error);
  if (memcmp (bytes, big + sizeof big - self->unit, self->unit) == 0)
    return open_decoder_for_order (self, "BE", error);

  *n_used = 0;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "The text does not begin with the byte order mark of “%s”", self->encoding);
  return FALSE;
}

/* The bytes that belong together at the start of @bytes: one character, or as much of one as is right.
 * That is what Unicode, chapter 3.9, calls a maximal subpart, and Python replaces by one U+FFFD. */
static gsize
measure_utf8 (const guint8 *bytes,
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
static int
decode_utf8_run (const guint8 **bytes,
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
      gsize n = measure_utf8 (start + n_done, *n_bytes - n_done, &n_needed);

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

static int
decode_iconv_run (GIConv         converter,
                  const guint8 **bytes,
                  gsize         *n_bytes,
                  gsize          limit,
                  GString       *text)
{
  char buffer[4096];
  char *in = (char *) *bytes;
  int result;

  do
    {
      gsize room = MIN (sizeof buffer, limit - text->len);
      gsize left = room;
      char *out = buffer;

      result = g_iconv (converter, &in, n_bytes, &out, &left) == (gsize) -1 ? errno : 0;
      g_string_append_len (text, buffer, room - left);
      if (result == E2BIG && left == room)
        break;
    }
  while (result == E2BIG);

  *bytes = (const guint8 *) in;
  return result;
}

/* How many bytes the illegal or, at the end of the text, incomplete sequence at the start of @bytes has. */
static gsize
measure_illegal (const TfCodec *self,
                 const guint8  *bytes,
                 gsize          n_bytes,
                 int            reason)
{
  gsize n_needed;

  if (reason == EINVAL)
    return n_bytes;

  return self->is_utf8 ? measure_utf8 (bytes, n_bytes, &n_needed) : MIN (self->unit, n_bytes);
}

static gboolean
append_for_illegal (const TfCodec  *self,
                    const guint8   *bytes,
                    gsize           n_bytes,
                    GString        *text,
                    GError        **error)
{
  switch (self->errors)
    {
    case TF_TEXT_ERRORS_IGNORE:
      break;

    case TF_TEXT_ERRORS_REPLACE:
      g_string_append (text, REPLACEMENT);
      break;

    case TF_TEXT_ERRORS_BACKSLASH_REPLACE:
      for (gsize i = 0; i < n_bytes; i++)
        g_string_append_printf (text, "\\x%02x", bytes[i]);
      break;

    case TF_TEXT_ERRORS_STRICT:
    default:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "The text is not valid “%s”: there is a byte 0x%02x", self->encoding, bytes[0]);
      return FALSE;
    }

  return TRUE;
}

/* Decodes up to @n_bytes, and as long as @text has at most @limit bytes; at the start of an incomplete
 * character it stops, except at the end of the text. On failure, too, what was decoded is in @text, and
 * @n_used says how many bytes it came from. */
gboolean
tf_codec_decode (TfCodec       *self,
                 const guint8  *bytes,
                 gsize          n_bytes,
                 gboolean       is_end,
                 gsize          limit,
                 GString       *text,
                 gsize         *n_used,
                 GError       **error)
{
  const guint8 *next = bytes;
  gsize n_left = n_bytes;
  gboolean success = TRUE;

  *n_used = 0;
  if (self->has_mark && self->decoder == NULL)
    {
      if (!read_mark (self, bytes, n_bytes, is_end, n_used, error))
        return FALSE;
      if (self->decoder == NULL)
        return TRUE;
      next += *n_used;
      n_left -= *n_used;
    }

  while (success && n_left > 0 && text->len < limit)
    {
      int reason = self->is_utf8 ? decode_utf8_run (&next, &n_left, limit, text)
                                 : decode_iconv_run (self->decoder, &next, &n_left, limit, text);
      gsize n_illegal;

      if (reason == 0 || reason == E2BIG || (reason == EINVAL && !is_end) || text->len >= limit)
        break;

      n_illegal = measure_illegal (self, next, n_left, reason);
      success = append_for_illegal (self, next, n_illegal, text, error);
      if (success)
        {
          next += n_illegal;
          n_left -= n_illegal;
        }
    }

  *n_used = n_bytes - n_left;
  return success;
}

/* Appends what iconv makes of @text up to the first character that it cannot encode. */
static gsize
encode_run (GIConv      converter,
            const char *text,
            gsize       length,
            GByteArray *bytes)
{
  char buffer[4096];
  char *in = (char *) text;
  gsize n_left = length;
  gsize result;

  do
    {
      gsize left = sizeof buffer;
      char *out = buffer;

      result = g_iconv (converter, text != NULL ? &in : NULL, &n_left, &out, &left);
      g_byte_array_append (bytes, (const guint8 *) buffer, sizeof buffer - left);
    }
  while (result == (gsize) -1 && errno == E2BIG);

  return length - n_left;
}

static gboolean
encode_substitute (TfCodec     *self,
                   gunichar     c,
                   GByteArray  *bytes,
                   GError     **error)
{
  char escape[16] = "?";

  if (self->errors == TF_TEXT_ERRORS_STRICT)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "The character U+%04X cannot be written in “%s”", c, self->encoding);
      return FALSE;
    }

  if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE && c < 0x100)
    g_snprintf (escape, sizeof escape, "\\x%02x", c);
  else if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE && c < 0x10000)
    g_snprintf (escape, sizeof escape, "\\u%04x", c);
  else if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE)
    g_snprintf (escape, sizeof escape, "\\U%08x", c);

  if (self->errors != TF_TEXT_ERRORS_IGNORE)
    encode_run (self->encoder, escape, strlen (escape), bytes);

  return TRUE;
}

/* Appends valid UTF-8 @text in the encoding, with the byte order mark at the start. Leaves no state: a
 * stateful encoding is back in its initial one. On failure @bytes holds what came before. */
gboolean
tf_codec_encode (TfCodec     *self,
                 const char  *text,
                 gsize        length,
                 gboolean     is_start,
                 GByteArray  *bytes,
                 GError     **error)
{
  const char *end = text + length;

  if (self->is_utf8)
    {
      g_byte_array_append (bytes, (const guint8 *) text, length);
      return TRUE;
    }

  if (self->has_mark && is_start)
    encode_run (self->encoder, "\357\273\277", 3, bytes);

  g_iconv (self->encoder, NULL, NULL, NULL, NULL);
  while (text < end)
    {
      text += encode_run (self->encoder, text, end - text, bytes);
      if (text == end)
        break;

      if (!encode_substitute (self, g_utf8_get_char (text), bytes, error))
        return FALSE;
      text = g_utf8_next_char (text);
    }
  encode_run (self->encoder, NULL, 0, bytes);

  return TRUE;
}
