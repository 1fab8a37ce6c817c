from torch import nn

from slicenet.bench.counting import Counter


def test_a_convolution_costs_two_operations_a_multiplication():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1, 2))
    wanted = 2 * 3 * 8 * 9 * 20 * 16 + 2 * 8 * 4 * 10 * 8
    assert Counter(network).operations([(1, 3, 20, 16)]) == wanted
    assert Counter(network).operations([(2, 3, 20, 16), (5, 3, 20, 16)]) == 7 * wanted


def test_counting_leaves_the_network_where_it_was():
    network = nn.Conv2d(3, 8, 3)
    Counter(network).operations([(1, 3, 9, 9)])
    assert network.weight.device.type == "cpu"
    assert network.training
