/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-codec.h"

#include <errno.h>
#include <string.h>

#include "base/tf-errno.h"

#define NO_CONVERTER ((GIConv) -1)
#define REPLACEMENT "\357\277\275" /* U+FFFD */
#define SUBSTITUTE '\x1a'

/* The number of bytes that iconv gets at once, and that it can return. */
#define CHUNK 512
#define ROOM (8 * CHUNK)

/* The number of bytes of UTF-8 that are looked at or copied between two checks of the cancellable. */
#define UTF8_CHUNK ((gsize) 256 * 1024)

/* The capacity for what comes of one chunk, and of what follows it. */
#define SCRATCH (2 * ROOM + 1)

/* Returned by convert() instead of an errno if iconv has substituted characters. */
#define SUBSTITUTED (-1)

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
# define NATIVE_ORDER "LE"
#else
# define NATIVE_ORDER "BE"
#endif

/* On failure, the converter stays as it is. */
static gboolean
open_converter (GIConv      *converter,
                const char  *to,
                const char  *from,
                GError     **error)
{
  GIConv opened = g_iconv_open (to, from);

  if (opened == NO_CONVERTER && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    return tf_errno_set (error, errno, "iconv_open", NULL);

  if (opened == NO_CONVERTER)
    return tf_errno_set_code (error, G_IO_ERROR_NOT_SUPPORTED,
                              "Text cannot be converted from “%s” to “%s”", from, to);

  if (*converter != NULL)
    g_iconv_close (*converter);
  *converter = opened;
  return TRUE;
}

/* Returns the name in capitals, with only its letters and digits, and without what iconv is asked to do behind "//". */
static char *
normalize (const char *encoding)
{
  GString *name = g_string_new (NULL);

  for (const char *c = encoding; *c != '\0' && !g_str_has_prefix (c, "//"); c++)
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

static char *
name_for_order (const TfCodec *self,
                const char    *order)
{
  return g_strconcat (self->unit == 2 ? "UTF-16" : "UTF-32", order, NULL);
}

static gboolean
open_encoder (TfCodec  *self,
              GError  **error)
{
  g_autofree char *encoding = self->has_mark ? name_for_order (self, self->order) : g_strdup (self->encoding);

  return open_converter (&self->encoder, encoding, "UTF-8", error) &&
         open_converter (&self->probe, encoding, "UTF-8", error);
}

static gboolean
set_order (TfCodec     *self,
           const char  *order,
           GError     **error)
{
  gboolean is_same = g_str_equal (self->order, order);

  self->order = order;
  self->knows_order = is_same || open_encoder (self, error);
  if (!self->knows_order)
    self->order = "";
  return self->knows_order;
}

/* Opens the decoder of an encoding with a byte order mark for one byte order, in which text is written from now on. */
static gboolean
open_decoder_for_order (TfCodec     *self,
                        const char  *order,
                        GError     **error)
{
  g_autofree char *encoding = name_for_order (self, order);

  return set_order (self, order, error) && open_converter (&self->decoder, "UTF-8", encoding, error);
}

static void
close_judge (TfCodec *self)
{
  if (self->judge != NULL)
    g_iconv_close (self->judge);
  self->judge = NULL;
}

void
tf_codec_clear (TfCodec *self)
{
  if (self->decoder != NULL)
    g_iconv_close (self->decoder);
  if (self->encoder != NULL)
    g_iconv_close (self->encoder);
  if (self->probe != NULL)
    g_iconv_close (self->probe);
  close_judge (self);

  g_free (self->encoding);
}

/* Returns how many bytes from the start have to be decoded first to decode from @offset on. */
gsize
tf_codec_get_context_size (const TfCodec *self,
                           goffset        offset)
{
  gsize size = MIN ((guint64) offset, G_MAXSIZE);

  if (self->is_stateful)
    return size;

  return self->has_mark ? MIN (self->unit, size) : 0;
}

/* Prepares for decoding from the start of a text. */
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

/* Prepares for decoding and encoding a text that lacks its byte order mark. */
gboolean
tf_codec_assume_order (TfCodec  *self,
                       GError  **error)
{
  return open_decoder_for_order (self, NATIVE_ORDER, error);
}

/* Returns whether text can be written without a look at the byte order mark. */
gboolean
tf_codec_knows_order (const TfCodec *self)
{
  return !self->has_mark || self->knows_order;
}

/* Called when the text may have got another byte order mark. */
void
tf_codec_forget_order (TfCodec *self)
{
  self->knows_order = FALSE;
}

/* Opens the decoder for the byte order of the mark. An incomplete mark at the end of the text is left to the decoder,
 * which fails. */
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
  const char *order = NULL;

  if (n_bytes < self->unit)
    return n_bytes == 0 || !is_end || tf_codec_assume_order (self, error);

  if (memcmp (bytes, little, self->unit) == 0)
    order = "LE";
  else if (memcmp (bytes, big + sizeof big - self->unit, self->unit) == 0)
    order = "BE";

  if (order != NULL)
    {
      gboolean success = open_decoder_for_order (self, order, error);

      *n_used = success ? self->unit : 0;
      return success;
    }

  return tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA,
                            "The text does not begin with the byte order mark of “%s”", self->encoding);
}

/* Returns the number of bytes that belong together: one character, or as much of one as is valid, which Unicode,
 * chapter 3.9, calls a maximal subpart and Python replaces by one U+FFFD. @n_needed is the size of the character. */
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

/* Appends valid characters up to @limit bytes of text. Returns 0, or an errno with the meaning that it has after
 * iconv(3). */
static int
decode_utf8_chunk (const guint8 *bytes,
                   gsize         n_bytes,
                   gsize         limit,
                   TfString     *text,
                   gsize        *n_used)
{
  gsize room = limit - text->size;
  gsize n_done = 0;
  int result = 0;

  while (n_done < n_bytes && result == 0)
    {
      gsize n_needed;
      gsize n = measure_utf8 (bytes + n_done, n_bytes - n_done, &n_needed);

      if (n != n_needed)
        result = n_needed > 0 && n_done + n == n_bytes ? EINVAL : EILSEQ;
      else if (n_done + n > room)
        result = E2BIG;
      else
        n_done += n;
    }

  tf_string_append (text, bytes, n_done);
  *n_used = n_done;
  return result;
}

/* What lies beyond Unicode is not text, although iconv may have a form for it. Unlike in GLib, a NUL is a character. */
gboolean
tf_codec_is_utf8 (const char *text,
                  gsize       length)
{
  gsize n;
  gsize n_needed;

  for (gsize i = 0; i < length; i += n)
    {
      n = n_needed = 1;
      if ((guchar) text[i] >= 0x80)
        n = measure_utf8 ((const guint8 *) text + i, length - i, &n_needed);
      if (n != n_needed)
        return FALSE;
    }

  return TRUE;
}

/* Appends @bytes converted by iconv, up to @limit bytes of text. Returns 0, an errno, or SUBSTITUTED with @text
 * unchanged, also if what iconv gives is not UTF-8. After an errno, characters before the one that failed may have been
 * substituted. */
static int
convert (GIConv         converter,
         gconstpointer  bytes,
         gsize          n_bytes,
         gsize          limit,
         TfString      *text,
         gsize         *n_used)
{
  char buffer[ROOM];
  gsize room = MIN (sizeof buffer, limit - text->size);
  gsize n_left = n_bytes;
  gsize left = room;
  char *in = (char *) bytes;
  char *out = buffer;
  gsize result = g_iconv (converter, bytes != NULL ? &in : NULL, &n_left, &out, &left);
  int reason = errno;

  *n_used = n_bytes - n_left;
  if ((result > 0 && result != (gsize) -1) || !tf_codec_is_utf8 (buffer, room - left))
    return SUBSTITUTED;

  tf_string_append (text, buffer, room - left);
  if (result == 0)
    return 0;

  return reason != 0 ? reason : EILSEQ;
}

/* Like convert(), but returns SUBSTITUTED whenever iconv has substituted: what it converted before an errno is
 * converted once more by itself. */
static int
decode_chunk (GIConv        converter,
              const guint8 *bytes,
              gsize         n_bytes,
              gsize         limit,
              TfString     *text,
              gsize        *n_used)
{
  gsize length = text->size;
  int reason = convert (converter, bytes, n_bytes, limit, text, n_used);

  if (reason <= 0 || *n_used == 0)
    return reason;

  tf_string_truncate (text, length);
  if (convert (converter, bytes, *n_used, limit, text, n_used) == 0)
    return 0;

  tf_string_truncate (text, length);
  return SUBSTITUTED;
}

/* Like decode_chunk(), for the first character alone. If iconv fails but takes some of its bytes, it has substituted
 * them: in an encoding without states, there is no other reason to take them. */
static int
decode_character (const TfCodec *self,
                  const guint8  *bytes,
                  gsize          n_bytes,
                  gsize          limit,
                  TfString      *text,
                  gsize         *n_used)
{
  gsize length = text->size;
  gsize n = 0;
  int reason;

  do
    reason = convert (self->decoder, bytes, ++n, limit, text, n_used);
  while (reason == EINVAL && *n_used == 0 && n < n_bytes);

  if (reason <= 0 || *n_used == 0 || self->is_stateful)
    return reason;

  tf_string_truncate (text, length);
  return SUBSTITUTED;
}

/* Appends the character that a converter keeps back because it may combine with the next one. If there is no room, the
 * character is forgotten. */
static gboolean
give_out (GIConv    converter,
          gsize     limit,
          TfString *text)
{
  gsize n_used;

  if (convert (converter, NULL, 0, limit, text, &n_used) == 0)
    return TRUE;

  g_iconv (converter, NULL, NULL, NULL, NULL);
  return FALSE;
}

/* Decodes one character after the other. A character that iconv substitutes is illegal. In an encoding with states,
 * the decoder has passed it already, and @n_illegal is its size. */
static int
decode_carefully (const TfCodec *self,
                  const guint8  *bytes,
                  gsize          n_bytes,
                  gsize          limit,
                  TfString      *text,
                  gsize         *n_used,
                  gsize         *n_illegal)
{
  int reason = 0;

  *n_used = 0;
  while (reason == 0 && *n_used < n_bytes && (self->is_stateful || text->size < limit))
    {
      gsize n = 0;

      reason = decode_character (self, bytes + *n_used, n_bytes - *n_used, limit, text, &n);
      if (!self->is_stateful && !give_out (self->decoder, limit, text))
        return E2BIG;
      if (reason != SUBSTITUTED)
        *n_used += n;
      else if (self->is_stateful)
        *n_illegal = n;
    }

  return reason == 0 && *n_used < n_bytes ? E2BIG : reason;
}

/* Decodes as much as is done without a check of the cancellable. */
static int
decode_some (const TfCodec *self,
             const guint8  *bytes,
             gsize          n_bytes,
             gsize          limit,
             TfString      *text,
             gsize         *n_used,
             gsize         *n_illegal)
{
  gsize n = MIN (n_bytes, self->is_utf8 ? UTF8_CHUNK : CHUNK);
  int reason = SUBSTITUTED;

  if (self->is_utf8)
    reason = decode_utf8_chunk (bytes, n, limit, text, n_used);
  else if (!self->is_careful)
    reason = decode_chunk (self->decoder, bytes, n, limit, text, n_used);
  if (reason == SUBSTITUTED)
    reason = decode_carefully (self, bytes, n, limit, text, n_used, n_illegal);

  return reason == EINVAL && *n_used > 0 ? 0 : reason;
}

/* Returns the number of bytes of the illegal sequence or, at the end of the text, of the incomplete one. */
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
                    TfString       *text,
                    GError        **error)
{
  switch (self->errors)
    {
    case TF_TEXT_ERRORS_IGNORE:
      break;

    case TF_TEXT_ERRORS_REPLACE:
      tf_string_append (text, REPLACEMENT, strlen (REPLACEMENT));
      break;

    case TF_TEXT_ERRORS_BACKSLASH_REPLACE:
      for (gsize i = 0; i < n_bytes; i++)
        {
          char escape[8];

          tf_string_append (text, escape, g_snprintf (escape, sizeof escape, "\\x%02x", bytes[i]));
        }
      break;

    case TF_TEXT_ERRORS_STRICT:
    default:
      return tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA,
                                "The text is not valid “%s”: there is a byte 0x%02x", self->encoding, bytes[0]);
    }

  return TRUE;
}

/* Decodes @n_bytes, or fewer if @text reaches @limit bytes or, before the end of the text, if the last character is
 * incomplete. On failure, too, @text has what was decoded, and @n_used is the number of bytes that it came from. If it
 * was cancelled, or there was not enough memory for @text, the result has no meaning. */
gboolean
tf_codec_decode (TfCodec        *self,
                 gconstpointer   bytes,
                 gsize           n_bytes,
                 gboolean        is_end,
                 gsize           limit,
                 TfString       *text,
                 gsize          *n_used,
                 GCancellable   *cancellable,
                 GError        **error)
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

  while (success && n_left > 0 && text->size < limit && !text->failed)
    {
      gsize n_illegal = 0;
      gsize n;
      int reason;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      reason = decode_some (self, next, n_left, limit, text, &n, &n_illegal);
      next += n;
      n_left -= n;
      if (reason == 0)
        continue;
      if (reason == E2BIG || (reason == EINVAL && !is_end) || text->size >= limit)
        break;

      if (n_illegal == 0)
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

/* Appends at most CHUNK bytes of text converted by iconv; with NULL, the return to its initial state. Fails and appends
 * nothing unless every character was converted and none substituted. The result of the return is no number of
 * characters: for ISO-2022-CN-EXT, that of glibc is 1. */
static gboolean
encode (GIConv     converter,
        char     **text,
        gsize      length,
        TfString  *bytes)
{
  char buffer[ROOM];
  gsize left = sizeof buffer;
  char *out = buffer;
  gsize result = g_iconv (converter, text, &length, &out, &left);

  if (result == (gsize) -1 || (text != NULL && result > 0))
    return FALSE;

  tf_string_append (bytes, buffer, sizeof buffer - left);
  return TRUE;
}

static gboolean
encode_all (GIConv      converter,
            const char *text,
            gsize       length,
            TfString   *bytes)
{
  char *in = (char *) text;

  return encode (converter, &in, length, bytes);
}

static gboolean
encode_end (GIConv    converter,
            TfString *bytes)
{
  return encode (converter, NULL, 0, bytes);
}

/* Appends the text of bytes that were just encoded. */
static gboolean
decode_again (TfCodec        *self,
              const TfString *bytes,
              TfString       *text)
{
  gsize n_used;

  g_iconv (self->judge, NULL, NULL, NULL, NULL);
  return convert (self->judge, bytes->data, bytes->size, G_MAXSIZE, text, &n_used) == 0 &&
         give_out (self->judge, G_MAXSIZE, text);
}

/* Encodes at most CHUNK bytes of text from the initial state. With a judge, @bytes return to that state, and @again is
 * what they are decoded to. */
static gboolean
try_to_encode (TfCodec    *self,
               const char *text,
               gsize       length,
               TfString   *bytes,
               TfString   *again)
{
  tf_string_truncate (bytes, 0);
  tf_string_truncate (again, 0);
  g_iconv (self->probe, NULL, NULL, NULL, NULL);

  return encode_all (self->probe, text, length, bytes) &&
         (self->judge == NULL || (encode_end (self->probe, bytes) && decode_again (self, bytes, again)));
}

static gboolean
can_encode (TfCodec    *self,
            const char *text,
            gsize       length,
            TfString   *bytes,
            TfString   *again)
{
  return try_to_encode (self, text, length, bytes, again) &&
         (self->judge == NULL || (again->size == length && memcmp (again->data, text, length) == 0));
}

/* Unlike a text, a character may become a similar one. */
static gboolean
can_encode_character (TfCodec    *self,
                      const char *c,
                      TfString   *bytes,
                      TfString   *again)
{
  return try_to_encode (self, c, g_utf8_skip[(guchar) *c], bytes, again) &&
         (self->judge == NULL || (again->size > 0 && (*again->data != SUBSTITUTE || *c == SUBSTITUTE)));
}

/* Returns the number of bytes before the first character that cannot be encoded. */
static gsize
measure_encodable (TfCodec    *self,
                   const char *text,
                   gsize       length)
{
  g_auto(TfString) scratch = tf_string_new_small (SCRATCH);
  g_auto(TfString) again = tf_string_new_small (SCRATCH);
  const char *c = text;

  if (can_encode (self, text, length, &scratch, &again))
    return length;

  while (c < text + length && can_encode_character (self, c, &scratch, &again))
    c = g_utf8_next_char (c);

  return c - text;
}

/* Appends encodable text. What the judge does not find in it is encoded one character after the other. */
static void
append_judged (TfCodec    *self,
               const char *text,
               gsize       length,
               TfString   *bytes)
{
  g_auto(TfString) piece = tf_string_new_small (SCRATCH);
  g_auto(TfString) again = tf_string_new_small (SCRATCH);

  if (can_encode (self, text, length, &piece, &again))
    {
      tf_string_append (bytes, piece.data, piece.size);
      return;
    }

  for (const char *c = text; c < text + length; c = g_utf8_next_char (c))
    {
      can_encode_character (self, c, &piece, &again);
      tf_string_append (bytes, piece.data, piece.size);
    }
}

/* Encodes a chunk of text, up to the first character that cannot be encoded. Returns the number of bytes of text. */
static gsize
encode_chunk (TfCodec    *self,
              const char *text,
              gsize       length,
              TfString   *bytes)
{
  if (self->is_utf8)
    {
      tf_string_append (bytes, text, length);
      return length;
    }

  if (!self->is_careful && self->judge == NULL && encode_all (self->encoder, text, length, bytes))
    return length;

  length = measure_encodable (self, text, length);
  if (self->judge != NULL)
    append_judged (self, text, length, bytes);
  else
    encode_all (self->encoder, text, length, bytes);
  return length;
}

/* Returns the size of a chunk of whole characters. */
static gsize
get_chunk_size (const TfCodec *self,
                const char    *text,
                gsize          length)
{
  gsize n = MIN (length, self->is_utf8 ? UTF8_CHUNK : CHUNK);

  while (n < length && (text[n] & 0xc0) == 0x80)
    n--;

  return n;
}

static gboolean
encode_substitute (TfCodec   *self,
                   gunichar   c,
                   TfString  *bytes,
                   GError   **error)
{
  char escape[16] = "?";

  if (self->errors == TF_TEXT_ERRORS_STRICT)
    return tf_errno_set_code (error, G_IO_ERROR_INVALID_DATA,
                              "The character U+%04X cannot be written in “%s”", c, self->encoding);

  if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE && c < 0x100)
    g_snprintf (escape, sizeof escape, "\\x%02x", c);
  else if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE && c < 0x10000)
    g_snprintf (escape, sizeof escape, "\\u%04x", c);
  else if (self->errors == TF_TEXT_ERRORS_BACKSLASH_REPLACE)
    g_snprintf (escape, sizeof escape, "\\U%08x", c);

  if (self->errors != TF_TEXT_ERRORS_IGNORE)
    encode_all (self->encoder, escape, strlen (escape), bytes);

  return TRUE;
}

static const char *
find_header (const TfCodec *self,
             const char    *start,
             const char    *end)
{
  const char *found = start;

  while (end - found >= (gssize) self->header_size && memcmp (found, self->header, self->header_size) != 0)
    found++;

  return end - found >= (gssize) self->header_size ? found : NULL;
}

/* Removes the headers from @from on. The encoder writes one whenever it begins or ends. */
static void
drop_headers (const TfCodec *self,
              TfString      *bytes,
              gsize          from)
{
  g_auto(TfString) rest = tf_string_new_small (SCRATCH);
  const char *next = bytes->data + from;
  const char *end = bytes->data + bytes->size;
  const char *header;

  while ((header = find_header (self, next, end)) != NULL)
    {
      tf_string_append (&rest, next, header - next);
      next = header + self->header_size;
    }

  tf_string_append (&rest, next, end - next);
  tf_string_truncate (bytes, from);
  tf_string_append (bytes, rest.data, rest.size);
}

static gboolean
encode_chunks (TfCodec       *self,
               const char    *text,
               gsize          length,
               TfString      *bytes,
               GCancellable  *cancellable,
               GError       **error)
{
  const char *end = text + length;

  while (text < end && !bytes->failed)
    {
      gsize size = get_chunk_size (self, text, end - text);
      gsize n_encoded;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;

      n_encoded = encode_chunk (self, text, size, bytes);
      text += n_encoded;
      if (n_encoded == size)
        continue;

      if (!encode_substitute (self, g_utf8_get_char (text), bytes, error))
        return FALSE;
      text = g_utf8_next_char (text);
    }

  return TRUE;
}

/* Appends @text, which is valid UTF-8, in the encoding, with the byte order mark or header if @is_start. An encoding with states
 * begins and ends in its initial state. On failure @bytes has what comes before the character that failed. If there was
 * not enough memory for @bytes, the result has no meaning. */
gboolean
tf_codec_encode (TfCodec       *self,
                 const char    *text,
                 gsize          length,
                 gboolean       is_start,
                 TfString      *bytes,
                 GCancellable  *cancellable,
                 GError       **error)
{
  gsize before = bytes->size;

  if (self->is_utf8)
    return encode_chunks (self, text, length, bytes, cancellable, error);

  if (self->has_mark && is_start)
    encode_all (self->encoder, "\357\273\277", 3, bytes);

  g_iconv (self->encoder, NULL, NULL, NULL, NULL);
  if (!encode_chunks (self, text, length, bytes, cancellable, error))
    return FALSE;

  encode_end (self->encoder, bytes);
  if (self->header_size > 0 && bytes->size > before)
    drop_headers (self, bytes, before + (is_start ? self->header_size : 0));

  return TRUE;
}

static void
learn_header (TfCodec *self)
{
  g_auto(TfString) bytes = tf_string_new_small (SCRATCH);

  g_iconv (self->encoder, NULL, NULL, NULL, NULL);
  if (encode_end (self->encoder, &bytes) && bytes.size <= sizeof self->header)
    {
      self->header_size = bytes.size;
      memcpy (self->header, bytes.data, bytes.size);
    }
}

/* Returns the number of bytes of a letter, in which the length of every character can be divided. */
static gsize
measure_unit (TfCodec *self)
{
  g_auto(TfString) bytes = tf_string_new_small (SCRATCH);
  gsize size = 0;

  if (encode_all (self->probe, "A", 1, &bytes))
    {
      size = bytes.size;
      encode_all (self->probe, "A", 1, &bytes);
      size = bytes.size - size;
    }
  g_iconv (self->probe, NULL, NULL, NULL, NULL);

  return MAX (size, 1);
}

/* An encoding has states if its decoder takes bytes that are neither a character nor kept back as one. An ideograph
 * begins with such bytes in each of them. */
static gboolean
has_states (TfCodec *self)
{
  const char *ideograph = "日";
  g_auto(TfString) bytes = tf_string_new_small (SCRATCH);
  g_auto(TfString) text = tf_string_new_small (SCRATCH);
  gsize n_used = 0;

  if (!encode_all (self->probe, ideograph, strlen (ideograph), &bytes))
    return FALSE;

  for (gsize n = 1; n <= bytes.size && n_used == 0; n++)
    convert (self->decoder, bytes.data, n, G_MAXSIZE, &text, &n_used);
  give_out (self->decoder, G_MAXSIZE, &text);

  return n_used > 0 && text.size == 0;
}

/* Returns whether the converter writes SUBSTITUTE for what the encoding does not have: where one does, it does so for
 * this letter. */
static gboolean
has_silent_substitutes (TfCodec *self)
{
  const char *letter = "ä";
  g_auto(TfString) bytes = tf_string_new_small (SCRATCH);
  g_auto(TfString) again = tf_string_new_small (SCRATCH);

  return try_to_encode (self, letter, strlen (letter), &bytes, &again) && *again.data == SUBSTITUTE;
}

gboolean
tf_codec_init (TfCodec       *self,
               const char    *encoding,
               TfTextErrors   errors,
               GError       **error)
{
  const char *combining[] = {
    "BIG5HKSCS", "EUCJISX0213", "EUCJIS2004", "SHIFTJISX0213", "SHIFTJIS2004", "SJIS2004",
    "CP1255", "WINDOWS1255", "MSHEBR", "CP1258", "WINDOWS1258", "TCVN", NULL
  };
  const char *with_mark[] = { "UTF16", "UTF32", "UNICODE", "CSUNICODE", NULL };
  g_autofree char *name = normalize (encoding);

  *self = (TfCodec) {
    .encoding = g_strdup (encoding),
    .order = NATIVE_ORDER,
    .errors = errors,
    .unit = g_str_equal (name, "UTF32") ? 4 : 2,
    .is_utf8 = g_str_equal (name, "UTF8"),
    .has_mark = g_strv_contains (with_mark, name),
    .is_careful = has_any_prefix (name, combining),
  };

  if (self->is_utf8)
    return TRUE;

  if (!open_encoder (self, error) || !tf_codec_restart (self, error))
    return FALSE;

  self->unit = measure_unit (self);
  if (self->has_mark)
    return TRUE;

  self->is_stateful = has_states (self);
  if (self->is_stateful)
    learn_header (self);
  self->is_careful |= self->is_stateful;
  if (!open_converter (&self->judge, "UTF-8", encoding, error))
    return FALSE;

  if (!self->is_stateful && !has_silent_substitutes (self))
    close_judge (self);
  return tf_codec_restart (self, error);
}
