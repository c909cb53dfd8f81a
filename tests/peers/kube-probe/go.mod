module lab/kube-probe

go 1.21
