// Command image writes a container image as an OCI archive, without a daemon: the same as deploy/Dockerfile makes.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"fodc/deploy/tools/archive"
)

func main() {
	var o options
	out := flag.String("out", "", "the `FILE` that is written, an OCI archive")
	at := flag.Int64("time", 0, "the `SECONDS` since 1970 at which the image was made")
	flag.StringVar(&o.version, "version", "devel", "the `VERSION` of the program, and the tag of the image")
	flag.StringVar(&o.revision, "revision", "unknown", "the `COMMIT` of the program")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "image -out FILE [flags] OS/ARCHITECTURE=PROGRAM...")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.created = time.Unix(*at, 0).UTC()
	if err := run(*out, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// run writes the image of the programs, each given as OS/ARCHITECTURE=PATH.
func run(out string, o options, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("an argument OS/ARCHITECTURE=PROGRAM is missing")
	}
	for _, arg := range args {
		name, path, found := strings.Cut(arg, "=")
		system, architecture, slash := strings.Cut(name, "/")
		if !found || !slash {
			return fmt.Errorf("argument %q: must be OS/ARCHITECTURE=PROGRAM", arg)
		}
		contents, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		o.programs = append(o.programs, program{system, architecture, contents})
	}
	files, err := build(o)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := archive.Tar(f, o.created, files); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
