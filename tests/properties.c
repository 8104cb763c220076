/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <tempfile-glib.h>

#include "tf-test.h"

/* Not initialized, so that everything can be set. */
static GObject *
make_temp_file (void)
{
  return g_object_new (TF_TYPE_TEMP_FILE, NULL);
}

static GObject *
make_named_file (void)
{
  return g_object_new (TF_TYPE_NAMED_FILE, NULL);
}

static GObject *
make_spooled_file (void)
{
  return g_object_new (TF_TYPE_SPOOLED_FILE, NULL);
}

static GObject *
make_temp_dir (void)
{
  return g_object_new (TF_TYPE_TEMP_DIR, NULL);
}

static GObject *
make_text_stream (void)
{
  g_autoptr(TfTempFile) file = TF_TEMP_FILE (tf_spooled_file_new (-1));

  return G_OBJECT (tf_text_stream_new (file, NULL, TF_NEWLINE_LF, TF_TEXT_ERRORS_STRICT, NULL));
}

typedef GObject *(*MakeFunc) (void);

static const struct
{
  const char *name;
  MakeFunc make;
} kinds[] = {
  { "temp-file", make_temp_file },
  { "named-file", make_named_file },
  { "spooled-file", make_spooled_file },
  { "temp-dir", make_temp_dir },
  { "text-stream", make_text_stream },
};

static gboolean
is_of_library (GParamSpec *pspec)
{
  return g_str_has_prefix (g_type_name (pspec->owner_type), "Tf");
}

static void
for_each_property (GObject *object,
                   void (*func) (GObject *, GParamSpec *))
{
  g_autofree GParamSpec **specs = NULL;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);
  for (guint i = 0; i < n; i++)
    if (is_of_library (specs[i]))
      func (object, specs[i]);
}

/* Of what can be set, but not read, there is no notification. */
static gboolean
can_change (GParamSpec *pspec)
{
  return (pspec->flags & G_PARAM_READWRITE) == G_PARAM_READWRITE && !(pspec->flags & G_PARAM_CONSTRUCT_ONLY);
}

static void
check_flags (GObject    *object,
             GParamSpec *pspec)
{
  g_assert_cmphex (pspec->flags & G_PARAM_STATIC_STRINGS, ==, G_PARAM_STATIC_STRINGS);
  if (can_change (pspec))
    g_assert_cmphex (pspec->flags & G_PARAM_EXPLICIT_NOTIFY, ==, G_PARAM_EXPLICIT_NOTIFY);
}

static void
test_flags (gconstpointer make)
{
  g_autoptr(GObject) object = ((MakeFunc) make) ();

  for_each_property (object, check_flags);
}

static void
on_notify (GObject    *object,
           GParamSpec *pspec,
           gpointer    n_changes)
{
  (*(guint *) n_changes)++;
}

/* Setting what is there is no change, and setting something else is one. */
static void
check_notify (GObject    *object,
              GParamSpec *pspec)
{
  g_auto(GValue) value = G_VALUE_INIT;
  g_auto(GValue) after = G_VALUE_INIT;
  guint n_changes = 0;
  gulong handler;

  if (!can_change (pspec))
    return;

  handler = g_signal_connect (object, "notify", G_CALLBACK (on_notify), &n_changes);
  g_object_get_property (object, pspec->name, &value);
  g_object_set_property (object, pspec->name, &value);
  g_object_get_property (object, pspec->name, &after);
  g_assert_cmpint (g_param_values_cmp (pspec, &value, &after), ==, 0);
  g_assert_cmpuint (n_changes, ==, 0);
  if (G_VALUE_HOLDS_BOOLEAN (&value))
    {
      g_value_set_boolean (&value, !g_value_get_boolean (&value));
      g_object_set_property (object, pspec->name, &value);
      g_assert_cmpuint (n_changes, ==, 1);
    }
  g_signal_handler_disconnect (object, handler);
}

static void
test_notify (gconstpointer make)
{
  g_autoptr(GObject) object = ((MakeFunc) make) ();

  for_each_property (object, check_notify);
}

/* As GObject says it. */
static void
expect_warning (void)
{
  g_test_expect_message ("Tf", G_LOG_LEVEL_WARNING, "*invalid property id*");
}

static void
check_unknown (GObject    *object,
               GParamSpec *pspec)
{
  GObjectClass *klass = g_type_class_peek (pspec->owner_type);
  const guint unknown = 9999;
  g_auto(GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  expect_warning ();
  klass->get_property (object, unknown, &value, pspec);
  expect_warning ();
  klass->set_property (object, unknown, &value, pspec);
  if (!(pspec->flags & G_PARAM_WRITABLE))
    {
      expect_warning ();
      klass->set_property (object, pspec->param_id, &value, pspec);
    }
  if (!(pspec->flags & G_PARAM_READABLE))
    {
      expect_warning ();
      klass->get_property (object, pspec->param_id, &value, pspec);
    }
  g_test_assert_expected_messages ();
}

static void
test_unknown (gconstpointer make)
{
  g_autoptr(GObject) object = ((MakeFunc) make) ();

  for_each_property (object, check_unknown);
}

int
main (int    argc,
      char **argv)
{
  tf_test_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *flags = g_strconcat ("/properties/flags/", kinds[i].name, NULL);
      g_autofree char *notify = g_strconcat ("/properties/notify/", kinds[i].name, NULL);
      g_autofree char *unknown = g_strconcat ("/properties/unknown/", kinds[i].name, NULL);

      g_test_add_data_func (flags, kinds[i].make, test_flags);
      g_test_add_data_func (notify, kinds[i].make, test_notify);
      g_test_add_data_func (unknown, kinds[i].make, test_unknown);
    }

  return tf_test_run ();
}
