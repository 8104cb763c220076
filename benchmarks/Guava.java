/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

import com.google.common.io.FileBackedOutputStream;
import java.io.IOException;

/** FileBackedOutputStream of Guava. */
final class Guava
{
  private static void fill (int size, long total) throws IOException
  {
    FileBackedOutputStream stream = new FileBackedOutputStream (Integer.MAX_VALUE);
    byte[] data = new byte[size];

    for (long i = 0; i < total / size; i++)
      stream.write (data, 0, size);
    stream.reset ();
  }

  private static double fillMemory (int size, long fileSize, int n) throws IOException
  {
    long start = System.nanoTime ();

    for (int i = 0; i < n; i++)
      fill (size, fileSize);
    return (System.nanoTime () - start) / ((double) n * (fileSize / size));
  }

  public static void main (String[] args) throws IOException
  {
    int size = Integer.parseInt (args[1]);
    long total = Long.parseLong (args[2]);
    int n = args[0].equals ("fill-memory") ? Integer.parseInt (args[3]) : 1;

    /* So that the compiler has seen it. */
    fillMemory (size, Math.min (total, 1 << 20), 20);
    System.out.printf (java.util.Locale.ROOT, "%.3f%n", fillMemory (size, total, n));
  }
}
