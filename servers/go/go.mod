module c10k

go 1.19
