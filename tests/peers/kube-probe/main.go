// SPDX-License-Identifier: Apache-2.0

// kube-probe is what the tests ask an API server with: one request, raw; or thousands of Nodes as big as real
// ones, with nothing behind them.
//
//	kube-probe [FLAG…] request METHOD PATH [BODY]     status line and header on stderr, body on stdout; exit 1 unless 2xx
//	kube-probe [FLAG…] nodes N [FIRST]                create worker-FIRST (default: 0) and so on
//	kube-probe [FLAG…] churn RATE SECONDS             rewrite their conditions as kubelets do, RATE a second
//	kube-probe [FLAG…] delete                         all of them
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"math/rand"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const selector = "?labelSelector=loden.test%2Fworker"

var (
	server  = flag.String("server", "", "https://HOST:PORT")
	ca      = flag.String("ca", "", "file of the server's authority")
	cert    = flag.String("cert", "", "file of a client certificate")
	key     = flag.String("key", "", "file of its key")
	token   = flag.String("token", "", "file of a bearer token")
	accept  = flag.String("accept", "application/json", "what to ask for")
	kind    = flag.String("type", "application/json", "what BODY is")
	cidr    = flag.String("cidr", "10.64.0.0/10", "worker i has its i-th /24")
	cidr6   = flag.String("cidr6", "", "and the i-th /64 of this")
	hosts   = flag.String("hosts", "172.16.0.0/12", "and its i-th address")
	workers = flag.Int("workers", 8, "requests under way at a time")
	http1   = flag.Bool("http1", false, "HTTP/1.1")
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube-probe:", err)
		os.Exit(1)
	}
}

func client() *http.Client {
	conf := &tls.Config{}
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		check(err)
		conf.RootCAs = x509.NewCertPool()
		conf.RootCAs.AppendCertsFromPEM(pem)
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		conf.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: !*http1,
		MaxIdleConnsPerHost: *workers, DisableCompression: true}}
}

var (
	connection *http.Client
	bearer     string
)

func send(method, path, kind, accept string, body []byte) (*http.Response, error) {
	request, err := http.NewRequest(method, *server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "kube-probe")
	if len(body) > 0 {
		request.Header.Set("Content-Type", kind)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	return connection.Do(request)
}

// call is a request whose whole answer is of interest; anything but 2xx is an error.
func call(method, path, kind string, body []byte) ([]byte, error) {
	answer, err := send(method, path, kind, "application/json", body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, text)
	}
	return text, err
}

func request(method, path, body string) {
	answer, err := send(method, path, *kind, *accept, []byte(body))
	check(err)
	fmt.Fprintln(os.Stderr, answer.Proto, answer.Status)
	check(answer.Header.Write(os.Stderr))
	_, err = io.Copy(os.Stdout, answer.Body)
	check(err)
	if answer.StatusCode/100 != 2 {
		os.Exit(1)
	}
}

type object map[string]any

// nth is network i of so many bits in a range; with all bits, address i.
func nth(within string, i, bits int) string {
	_, network, err := net.ParseCIDR(within)
	check(err)
	address := network.IP
	step := new(big.Int).Lsh(big.NewInt(int64(i)), uint(len(address)*8-bits))
	step.Add(step, new(big.Int).SetBytes(address)).FillBytes(address)
	if bits == len(address)*8 {
		return address.String()
	}
	return fmt.Sprintf("%s/%d", address, bits)
}

func conditions(now string) []object {
	list := []object{}
	for _, c := range [][4]string{
		{"NetworkUnavailable", "False", "FlannelIsUp", "Flannel is running on this node"},
		{"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
		{"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
		{"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
		{"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
	} {
		list = append(list, object{"type": c[0], "status": c[1], "reason": c[2], "message": c[3],
			"lastHeartbeatTime": now, "lastTransitionTime": "2026-01-01T10:00:00Z"})
	}
	return list
}

// node is what a kubelet with 50 images and a flannel have made of worker i after some months.
func node(i int) object {
	random := rand.New(rand.NewSource(int64(i)))
	hex := func(digits int) string {
		text := make([]byte, digits)
		for j := range text {
			text[j] = "0123456789abcdef"[random.Intn(16)]
		}
		return string(text)
	}
	vtep := func(family int) string {
		return fmt.Sprintf(`{"VNI":1,"VtepMAC":"02:%02x:00:%02x:%02x:%02x"}`, family, i>>16&255, i>>8&255, i&255)
	}
	name, address := fmt.Sprintf("worker-%05d", i), nth(*hosts, i, 32)
	cidrs := []string{nth(*cidr, i, 24)}
	annotations := object{
		"flannel.alpha.coreos.com/backend-data":                  vtep(0),
		"flannel.alpha.coreos.com/backend-type":                  "vxlan",
		"flannel.alpha.coreos.com/kube-subnet-manager":           "true",
		"flannel.alpha.coreos.com/public-ip":                     address,
		"kubeadm.alpha.kubernetes.io/cri-socket":                 "unix:///var/run/containerd/containerd.sock",
		"node.alpha.kubernetes.io/ttl":                           "0",
		"volumes.kubernetes.io/controller-managed-attach-detach": "true",
	}
	if *cidr6 != "" {
		cidrs = append(cidrs, nth(*cidr6, i, 64))
		annotations["flannel.alpha.coreos.com/backend-v6-data"] = vtep(6)
		annotations["flannel.alpha.coreos.com/public-ipv6"] = nth("fd00:172::/64", i, 128)
	}
	images := []object{}
	for k := 0; k < 50; k++ {
		image := fmt.Sprintf("registry.example.com/team-%d/service-%d", k%7, k)
		images = append(images, object{"sizeBytes": 10000000 + random.Intn(1000000000),
			"names": []string{image + "@sha256:" + hex(64), fmt.Sprintf("%s:v1.%d.%d", image, k, i%7)}})
	}
	return object{"apiVersion": "v1", "kind": "Node",
		"metadata": object{"name": name, "annotations": annotations, "labels": object{
			"beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
			"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
			"loden.test/worker": "", "topology.kubernetes.io/region": "r1",
			"topology.kubernetes.io/zone": fmt.Sprintf("z%d", i%3)}},
		"spec": object{"podCIDR": cidrs[0], "podCIDRs": cidrs},
		"status": object{
			"addresses": []object{{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}},
			"allocatable": object{"cpu": "15", "memory": "64806428Ki", "pods": "110",
				"ephemeral-storage": "203174212Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0"},
			"capacity": object{"cpu": "16", "memory": "65806428Ki", "pods": "110",
				"ephemeral-storage": "263174212Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0"},
			"conditions":      conditions("2026-01-01T10:00:00Z"),
			"daemonEndpoints": object{"kubeletEndpoint": object{"Port": 10250}},
			"images":          images,
			"nodeInfo": object{"architecture": "amd64", "bootID": hex(32), "machineID": hex(32), "systemUUID": hex(32),
				"containerRuntimeVersion": "containerd://1.7.22", "kernelVersion": "6.1.0-25-amd64",
				"kubeProxyVersion": "", "kubeletVersion": "v1.34.4", "operatingSystem": "linux",
				"osImage": "Debian GNU/Linux 12 (bookworm)"}}}
}

// each does work(0…n-1), several at a time, in this order; the first error ends it all.
func each(n int, work func(i int) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	for w := 0; w < *workers; w++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				check(work(i))
			}
		}()
	}
	all.Wait()
}

func create(n, first int) string {
	var size atomic.Int64
	each(n, func(i int) error {
		body, err := json.Marshal(node(first + i))
		check(err)
		size.Add(int64(len(body)))
		_, err = call("POST", "/api/v1/nodes?fieldManager=kubelet", "application/json", body)
		return err
	})
	return fmt.Sprintf("%d Nodes of %d bytes", n, size.Load()/int64(max(n, 1)))
}

func names() []string {
	list := struct {
		Items []struct {
			Metadata struct{ Name string }
		}
	}{}
	text, err := call("GET", "/api/v1/nodes"+selector, "", nil)
	check(err)
	check(json.Unmarshal(text, &list))
	all := []string{}
	for _, item := range list.Items {
		all = append(all, item.Metadata.Name)
	}
	return all
}

func churn(rate float64, seconds float64) string {
	all := names()
	if len(all) == 0 {
		check(fmt.Errorf("there are no workers"))
	}
	n := int(rate * seconds)
	took := make([]time.Duration, n)
	start := time.Now()
	each(n, func(i int) error {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		body, err := json.Marshal(object{"status": object{"conditions": conditions(time.Now().UTC().Format(time.RFC3339))}})
		check(err)
		_, err = call("PATCH", "/api/v1/nodes/"+all[i%len(all)]+"/status?fieldManager=kubelet",
			"application/strategic-merge-patch+json", body)
		took[i] = time.Since(due)
		return err
	})
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	return fmt.Sprintf("%d heartbeats of %d Nodes, half within %v, 99 of 100 within %v", n, len(all),
		took[n/2].Round(time.Millisecond), took[n*99/100].Round(time.Millisecond))
}

func remove() string {
	all := names()
	each(len(all), func(i int) error {
		_, err := call("DELETE", "/api/v1/nodes/"+all[i], "", nil)
		return err
	})
	return fmt.Sprintf("%d Nodes deleted", len(all))
}

func number(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	check(err)
	return value
}

func main() {
	flag.Parse()
	if *token != "" {
		text, err := os.ReadFile(*token)
		check(err)
		bearer = strings.TrimSpace(string(text))
	}
	connection = client()
	args := append(flag.Args(), "", "", "", "")
	start, done := time.Now(), ""
	switch n := flag.NArg(); {
	case args[0] == "request" && n >= 3:
		request(args[1], args[2], args[3])
		return
	case args[0] == "nodes" && n == 2:
		done = create(int(number(args[1])), 0)
	case args[0] == "nodes" && n == 3:
		done = create(int(number(args[1])), int(number(args[2])))
	case args[0] == "churn" && n == 3:
		done = churn(number(args[1]), number(args[2]))
	case args[0] == "delete" && n == 1:
		done = remove()
	default:
		fmt.Fprintln(os.Stderr, "kube-probe: see the top of its source")
		os.Exit(2)
	}
	fmt.Printf("%s in %.1f s\n", done, time.Since(start).Seconds())
}
