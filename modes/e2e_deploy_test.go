//go:build e2e && linux

package modes_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unprivileged is the user of the image, and of services in these tests.
const unprivileged = 65532

// deployed returns a program that needs no library, as releases have it, and the directory of what makes packages. It skips the
// test for other users than root, who cannot change the root directory.
func deployed(t *testing.T) (program, tools string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs root")
		}
		t.Skip("only root may change the root directory of a process")
	}
	tools, err := filepath.Abs("../bin")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(tools, "nfpm"), "run make e2e-processes")
	program = filepath.Join(t.TempDir(), "fodc")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "fodc")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return program, tools
}

// serveIn runs a command with another root directory, as a service without rights, until it says that it is ready, asks it
// there with fodc healthcheck, and ends it.
func serveIn(t *testing.T, root string, env []string, args ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
	name := filepath.Join(root, "run", "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	defer os.Remove(name)
	defer socket.Close()
	require.NoError(t, os.Chmod(name, 0o777))
	var log bytes.Buffer
	http := freeAddr(t)
	env = append([]string{"NOTIFY_SOCKET=/run/notify", "FODC_GRPC_LISTEN_ADDR=127.0.0.1:0", "FODC_HTTP_LISTEN_ADDR=" + http,
		"FODC_PROMETHEUS_LISTEN_ADDR=" + http, "FODC_HOST_TELEMETRY=false"}, env...)
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		cmd.Dir, cmd.WaitDelay, cmd.Env = "/", patience, env
		return cmd
	}
	cmd := command(args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	next := func() string {
		note := make([]byte, 4096)
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(patience)))
		n, err := socket.Read(note)
		require.NoError(t, err, "%s", &log)
		return string(note[:n])
	}
	require.Contains(t, next(), "READY=1\n")
	// In a container, the program is the process 1.
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc/1"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/1/cmdline"), []byte(strings.Join(args, "\x00")+"\x00"), 0o644))
	said, err := command(args[0], "healthcheck").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Equal(t, "http://"+http+"/-/ready: ready\n", string(said))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Contains(t, next(), "STOPPING=1\n")
	require.NoError(t, cmd.Wait(), "%s", &log)
}

// aDebian returns a directory in which dpkg can install packages.
func aDebian(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o755))
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	// The kernel tells there what the machine has.
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/meminfo"), []byte("MemTotal: 1048576 kB\n"), 0o644))
	return root
}

// TestE2EPackageOfDebian installs a package into a directory, runs the services' commands there, and upgrades, removes and purges it.
func TestE2EPackageOfDebian(t *testing.T) {
	program, tools := deployed(t)
	_, err := exec.LookPath("dpkg")
	require.NoError(t, err, "apt-get install dpkg")
	debs, root := t.TempDir(), aDebian(t)
	for _, version := range []string{"v0.1.0", "v0.2.0"} {
		build := exec.Command("deploy/package/build.sh", version, runtime.GOARCH, program, program, filepath.Join(tools, "nfpm"), debs)
		build.Dir = ".."
		build.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
		said, err := build.CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	rpms, err := filepath.Glob(filepath.Join(debs, "fodc-0.2.0-1.*.rpm"))
	require.NoError(t, err)
	require.Len(t, rpms, 1)
	dpkg := func(args ...string) {
		t.Helper()
		cmd := exec.Command("dpkg", append([]string{"--root=" + root, "--force-script-chrootless", "--force-confold", "--log=" + filepath.Join(t.TempDir(), "log")}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	deb := func(version string) string { return filepath.Join(debs, "fodc_"+version+"_"+runtime.GOARCH+".deb") }
	at := func(path string) string { return filepath.Join(root, path) }

	dpkg("-i", deb("0.1.0"))
	for _, path := range []string{"usr/bin/fodc", "usr/share/doc/fodc/copyright", "usr/share/doc/fodc/systemd/kernel-telemetry.conf", "etc/default/fodc-proxy"} {
		require.FileExists(t, at(path))
	}
	for _, mode := range []string{"agent", "proxy"} {
		unit, err := os.ReadFile(at("usr/lib/systemd/system/fodc-" + mode + ".service"))
		require.NoError(t, err)
		settings, err := os.ReadFile(at("etc/default/fodc-" + mode))
		require.NoError(t, err)
		state := "/var/lib/private/fodc-" + mode // made by systemd
		require.NoError(t, os.MkdirAll(at(state), 0o700))
		require.NoError(t, os.Chmod(at("var/lib/private"), 0o755))
		require.NoError(t, os.Chown(at(state), unprivileged, unprivileged))
		require.NoError(t, os.Symlink("private/fodc-"+mode, at("var/lib/fodc-"+mode)))
		command := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(unit))
		require.NotNil(t, command)
		env := append(regexp.MustCompile(`(?m)^FODC_.*$`).FindAllString(string(settings), -1), "FODC_NODE_ID=data-0", "FODC_STORAGE_DIR=/var/lib/fodc-"+mode)
		serveIn(t, root, env, strings.Fields(command[1])...)
	}
	require.NoError(t, os.WriteFile(at("etc/default/fodc-agent"), []byte("FODC_NODE_ROLE=liaison\n"), 0o644))

	dpkg("-i", deb("0.2.0"))
	kept, err := os.ReadFile(at("etc/default/fodc-agent"))
	require.NoError(t, err)
	require.Equal(t, "FODC_NODE_ROLE=liaison\n", string(kept))
	recorded, err := os.ReadDir(at("var/lib/private/fodc-agent"))
	require.NoError(t, err)
	require.NotEmpty(t, recorded)

	dpkg("--remove", "fodc")
	require.NoFileExists(t, at("usr/bin/fodc"))
	require.FileExists(t, at("etc/default/fodc-agent"))
	require.DirExists(t, at("var/lib/private/fodc-agent"))

	dpkg("--purge", "fodc")
	left := []string{}
	for _, path := range []string{"etc/default/fodc-agent", "etc/default/fodc-proxy", "var/lib/private/fodc-agent", "var/lib/private/fodc-proxy", "var/lib/fodc-agent", "var/lib/fodc-proxy"} {
		if _, err := os.Lstat(at(path)); err == nil {
			left = append(left, path)
		}
	}
	require.Empty(t, left)
}

// TestE2EImage runs the program of the image as the image says: with its root directory, its user and its command.
func TestE2EImage(t *testing.T) {
	program, tools := deployed(t)
	file, blobs, root := filepath.Join(t.TempDir(), "image.tar"), t.TempDir(), t.TempDir()
	said, err := exec.Command(filepath.Join(tools, "image"), "-version", "v0.1.0", "-out", file, "linux/"+runtime.GOARCH+"="+program).CombinedOutput()
	require.NoError(t, err, "%s", said)
	packed, err := os.Open(file)
	require.NoError(t, err)
	defer packed.Close()
	unpackImage(t, packed, blobs)

	type descriptor struct{ Digest string }
	var index struct{ Manifests []descriptor }
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	var config struct {
		Config struct{ Entrypoint []string }
	}
	load := func(path string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(blobs, path))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	blob := func(d descriptor) string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }
	load("index.json", &index)
	top := index.Manifests[0]
	load(blob(top), &index)
	load(blob(index.Manifests[0]), &manifest)
	load(blob(manifest.Config), &config)
	layer, err := os.Open(filepath.Join(blobs, blob(manifest.Layers[0])))
	require.NoError(t, err)
	defer layer.Close()
	contents, err := gzip.NewReader(layer)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(root, 0o755))
	unpackImage(t, contents, root)

	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755)) // a container's runtime mounts it
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/meminfo"), []byte("MemTotal: 1048576 kB\n"), 0o644))
	serveIn(t, root, nil, append(config.Config.Entrypoint, "proxy", "--storage-dir", "/var/lib/fodc")...)
	serveIn(t, root, nil, append(config.Config.Entrypoint, "agent", "--node-id", "n1", "--node-role", "liaison", "--storage-dir", "/var/lib/fodc/agent")...)
}

func unpackImage(t *testing.T, r io.Reader, dir string) {
	t.Helper()
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		name := filepath.Join(dir, filepath.Clean("/"+h.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		if h.Typeflag == tar.TypeDir {
			require.NoError(t, os.MkdirAll(name, 0o755))
		} else {
			text, err := io.ReadAll(in)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(name, text, 0o600))
		}
		require.NoError(t, os.Chown(name, h.Uid, h.Gid))
		require.NoError(t, os.Chmod(name, h.FileInfo().Mode()))
	}
}
