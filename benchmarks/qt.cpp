/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* QTemporaryFile and QTemporaryDir. */

#include <QTemporaryDir>
#include <QTemporaryFile>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

static double
unnamed (size_t n, const QString &dir, bool ask_for_name)
{
  auto start = std::chrono::steady_clock::now ();

  for (size_t i = 0; i < n; i++)
    {
      QTemporaryFile file (dir + "/tmpXXXXXX");

      if (!file.open ())
        abort ();
      /* Until it is asked for its name it has none, where the file system can do that. */
      if (ask_for_name)
        (void) file.fileName ();
    }
  return std::chrono::duration<double, std::nano> (std::chrono::steady_clock::now () - start).count () / n;
}

static double
make_dir (size_t n, const QString &dir)
{
  auto start = std::chrono::steady_clock::now ();

  for (size_t i = 0; i < n; i++)
    {
      QTemporaryDir temp_dir (dir + "/tmpXXXXXX");

      if (!temp_dir.isValid ())
        abort ();
    }
  return std::chrono::duration<double, std::nano> (std::chrono::steady_clock::now () - start).count () / n;
}

int
main (int argc, char **argv)
{
  size_t n = argc == 4 ? strtoull (argv[2], nullptr, 10) : 0;
  double result;

  if (argc != 4)
    return 2;
  if (strcmp (argv[1], "dir") == 0)
    result = make_dir (n, QString::fromLocal8Bit (argv[3]));
  else
    result = unnamed (n, QString::fromLocal8Bit (argv[3]), strcmp (argv[1], "named") == 0);
  printf ("%.3f\n", result);
  return 0;
}
