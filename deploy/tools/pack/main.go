// Command pack writes an archive of files: the same files make the same bytes on any machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"fodc/deploy/tools/archive"
)

func main() {
	out := flag.String("out", "", "the `FILE` that is written; its name ends with .tar.gz or .zip")
	at := flag.Int64("time", 0, "the `SECONDS` since 1970 that all files get as their time")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "pack -out FILE -time SECONDS NAME=PATH...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := pack(*out, time.Unix(*at, 0), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// pack writes the files, each given as NAME=PATH.
func pack(out string, at time.Time, args []string) (err error) {
	write := map[string]func(io.Writer, time.Time, []archive.File) error{".tar.gz": archive.TarGzip, ".zip": archive.Zip}[ending(out)]
	if write == nil {
		return fmt.Errorf("-out %q: the name must end with .tar.gz or .zip", out)
	}
	var files []archive.File
	for _, arg := range args {
		name, path, found := strings.Cut(arg, "=")
		if !found || name == "" {
			return fmt.Errorf("argument %q: must be NAME=PATH", arg)
		}
		file, err := archive.FromDisk(name, path)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := write(f, at, files); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func ending(name string) string {
	for _, e := range []string{".tar.gz", ".zip"} {
		if strings.HasSuffix(name, e) {
			return e
		}
	}
	return ""
}
