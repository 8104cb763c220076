/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* libsoup streams a body from a server on the loopback into a spooled file. */

#include <tempfile-glib.h>

#include "tf-test-async.h"
#include "tf-test.h"

#ifdef HAVE_SOUP

#include <libsoup/soup.h>

#define BODY_SIZE (5 << 20)

static void
serve (SoupServer        *server,
       SoupServerMessage *message,
       const char        *path,
       GHashTable        *query,
       gpointer           body)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), body);
}

static void
receive (SoupSession *session,
         const char  *uri,
         GBytes      *body,
         gint64       max_size)
{
  g_autoptr(SoupMessage) message = soup_message_new ("GET", uri);
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (max_size));
  g_autoptr(GAsyncResult) sent = NULL;
  g_autoptr(GAsyncResult) spliced = NULL;
  g_autoptr(GInputStream) stream = NULL;
  g_autoptr(GBytes) found = NULL;
  g_autoptr(GError) error = NULL;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (file));

  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, NULL, tf_test_take_result, &sent);
  stream = soup_session_send_finish (session, tf_test_wait (&sent), &error);
  g_assert_no_error (error);

  g_output_stream_splice_async (output, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, G_PRIORITY_DEFAULT, NULL,
                                tf_test_take_result, &spliced);
  g_assert_cmpint (g_output_stream_splice_finish (output, tf_test_wait (&spliced), &error), ==, BODY_SIZE);
  g_assert_no_error (error);
  g_assert_cmpint (tf_spooled_file_is_rolled_over (TF_SPOOLED_FILE (file)), ==, max_size >= 0);

  g_assert_true (g_seekable_seek (G_SEEKABLE (file), 0, G_SEEK_SET, NULL, NULL));
  found = tf_temp_file_read_bytes (file, G_MAXSIZE, NULL, NULL);
  g_assert_true (g_bytes_equal (found, body));
}

/* In a child, because libsoup and what it loads keep descriptors. */
static void
stream_bodies (void)
{
  g_autoptr(GBytes) body = tf_test_make_bytes (BODY_SIZE);
  g_autoptr(SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr(SoupSession) session = soup_session_new ();
  g_autofree char *uri = NULL;
  g_autoptr(GError) error = NULL;
  GSList *uris;

  soup_session_set_proxy_resolver (session, NULL);
  soup_server_add_handler (server, NULL, serve, body, NULL);
  g_assert_true (soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  g_assert_no_error (error);
  uris = soup_server_get_uris (server);
  uri = g_uri_to_string (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);

  receive (session, uri, body, -1);
  receive (session, uri, body, 1 << 20);
  receive (session, uri, body, 0);
  soup_server_disconnect (server);
}

static void
test_stream_body (void)
{
  tf_test_in_child (stream_bodies);
}

#else

static void
test_stream_body (void)
{
  g_test_skip ("libsoup 3 is not there");
}

#endif

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  g_test_add_func ("/soup/stream-body", test_stream_body);

  return tf_test_run ();
}
